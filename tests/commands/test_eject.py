"""``netlab eject``: which files it writes, and when it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from netlab import cli, hardening
from netlab.commands import eject
from netlab.topics import tcp
from netlab.topics.discovery import topic_named

TCP, HARDENING = (Path(package.__file__).parent for package in (tcp, hardening))


def test_the_files_of_a_topic_are_written_with_what_they_stand_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new" / "folder"
    assert eject.main(["tcp", str(folder)]) == 0
    written = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.py"))
    used = [
        "__init__",
        "clients",
        "command",
        "connecting",
        "events",
        "forking",
        "patience",
        "receiving",
        "server",
        "tasks",
    ]
    hardening = [f"hardening/{file}.py" for file in used]
    models = sorted(f"tcp_server_{model}.py" for model in topic_named("tcp").models)
    assert written == [*hardening, "tcp_client.py", "tcp_server.py", *models]
    assert sorted(capsys.readouterr().out.splitlines()) == sorted(str(folder / path) for path in written)
    sources = {folder / path: TCP / path.removeprefix("tcp_") for path in written if path.startswith("tcp_")}
    sources |= {folder / path: HARDENING / Path(path).name for path in hardening[1:]}
    for path, source in sources.items():
        assert all("netlab." in line for line in replaced(source, path)), "but for the names of modules it is the same"
    assert not any("netlab" in line for path in folder.rglob("*.py") for line in imports(path))


def replaced(source: Path, written: Path) -> list[str]:
    """The lines of a source that were written in another form."""
    pairs = zip(source.read_text().splitlines(), written.read_text().splitlines(), strict=True)
    return [before for before, after in pairs if before != after]


def imports(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line.lstrip().startswith(("import ", "from "))]


def test_of_one_model_the_others_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert eject.main(["udp", str(tmp_path), "--model", "single"]) == 0
    names = ["hardening", "udp_answers.py", "udp_client.py", "udp_server.py", "udp_server_single.py"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    with pytest.raises(SystemExit):
        eject.main(["udp", str(tmp_path), "--model", "pool"])
    assert "udp has no model 'pool'; there are single, threading, asyncio" in capsys.readouterr().err


def test_a_second_topic_shares_the_hardening_and_adds_to_it(tmp_path: Path) -> None:
    assert eject.main(["udp", str(tmp_path)]) == 0
    assert not (tmp_path / "hardening" / "tls.py").exists()
    assert eject.main(["tls", str(tmp_path)]) == 0
    assert (tmp_path / "hardening" / "tls.py").exists()
    (tmp_path / "hardening" / "events.py").write_text("mine")
    assert eject.main(["hmac", str(tmp_path)]) == 1
    assert (tmp_path / "hardening" / "events.py").read_text() == "mine"
    assert not list(tmp_path.glob("hmac*"))


def test_nothing_is_replaced_without_force(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = tmp_path / "udp_client.py"
    mine.write_text("mine")
    assert eject.main(["udp", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"netlab eject: {mine} is there already; --force replaces it\n"
    assert [path.name for path in tmp_path.iterdir()] == ["udp_client.py"]
    assert eject.main(["udp", str(tmp_path), "--force"]) == 0
    assert mine.read_text() != "mine"


def test_certificates_go_where_the_recipes_look(tmp_path: Path) -> None:
    asked: list[Path | None] = []

    def certificates(folder: Path | None) -> Path:
        asked.append(folder)
        return folder or Path()

    assert eject.main(["tls", str(tmp_path)], certificates) == 0
    assert eject.main(["tcp", str(tmp_path)], certificates) == 0
    assert asked == [tmp_path / "certs"]


def test_certificates_that_are_refused_leave_no_recipe_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "certs" / "server_cert.pem"
    mine.parent.mkdir()
    mine.write_text("mine")
    assert cli.main(["eject", "tls", str(tmp_path)]) == 1
    assert "server_key.pem is missing" in capsys.readouterr().err
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [mine]
    assert mine.read_text() == "mine"


def test_force_replaces_a_link_and_not_what_it_leads_to(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("keep")
    folder = tmp_path / "ejected"
    folder.mkdir()
    (folder / "tcp_server.py").symlink_to(precious)
    assert eject.main(["tcp", str(folder)]) == 1
    assert eject.main(["tcp", str(folder), "--force"]) == 0
    assert precious.read_text() == "keep"
    assert not (folder / "tcp_server.py").is_symlink()


def test_a_folder_that_cannot_be_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert eject.main(["tcp", str(tmp_path / "file" / "x")]) == 1
    assert capsys.readouterr().err.startswith("netlab eject: cannot write ")


@pytest.mark.parametrize("arguments", [[], ["nothing"]])
def test_usage_errors_exit_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        eject.main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: netlab eject")


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_a_file_where_the_folder_should_be_is_said_and_kept(
    force: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.write_text("kept")
    assert eject.main(["tcp", str(file), *force]) == 1
    assert capsys.readouterr().err == f"netlab eject: cannot write {file}: is not a folder\n"
    assert file.read_text() == "kept"


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_a_file_where_the_hardening_should_be_leaves_nothing_half_written(
    force: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "hardening").write_text("kept")
    assert eject.main(["tcp", str(tmp_path), *force]) == 1
    assert capsys.readouterr().err == f"netlab eject: cannot write {tmp_path / 'hardening'}: is not a folder\n"
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"hardening": "kept"}
