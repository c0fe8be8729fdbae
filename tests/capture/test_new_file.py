"""The one rule for files that exist: never replaced without a word, never through a link, private."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from netlab.capture import new_file
from netlab.capture.new_file import keep, kept_as, written_whole
from netlab.capture.writer import CaptureWriter


def write(path: Path, content: bytes) -> Path | None:
    with written_whole(path) as new:
        new.file.write(content)
    return new.kept


@pytest.fixture(params=["hard links", "without hard links"])
def links(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """File systems with hard links and, as FAT is, without."""
    if request.param != "hard links":

        def refused(*_: object, **__: object) -> None:
            raise OSError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr("os.link", refused)


@pytest.mark.usefixtures("links")
def test_nothing_that_is_there_is_lost_however_often(tmp_path: Path) -> None:
    path = tmp_path / "lab.pcapng"
    kept = [write(path, b"%d" % number) for number in range(4)]

    assert kept == [None, tmp_path / "lab.pcapng~", tmp_path / "lab.pcapng~2", tmp_path / "lab.pcapng~3"]
    assert path.read_bytes() == b"3"
    assert [each.read_bytes() for each in kept if each] == [b"0", b"1", b"2"]
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.usefixtures("links")
@pytest.mark.parametrize("dangling", [False, True])
def test_no_link_is_followed(tmp_path: Path, dangling: bool) -> None:
    precious, path = tmp_path / "precious", tmp_path / "link"
    if not dangling:
        precious.write_bytes(b"precious")
    path.symlink_to(precious)
    kept = write(path, b"new")

    assert not path.is_symlink()
    assert path.read_bytes() == b"new"
    assert kept is not None and kept.readlink() == precious
    assert (not precious.exists()) if dangling else precious.read_bytes() == b"precious"


def test_it_is_private_from_its_first_byte(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with written_whole(tmp_path / "new") as new:
            assert stat.S_IMODE(os.fstat(new.file.fileno()).st_mode) == 0o600
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600


def test_what_was_there_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "shared").write_bytes(b"for all")
    (tmp_path / "shared").chmod(0o644)
    kept = write(tmp_path / "shared", b"mine")
    assert kept is not None and stat.S_IMODE(kept.stat().st_mode) == 0o644


def test_an_empty_file_has_nothing_to_lose(tmp_path: Path) -> None:
    (tmp_path / "made").touch()
    assert write(tmp_path / "made", b"new") is None
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_what_fails_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), written_whole(tmp_path / "there"):
        raise ZeroDivisionError
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("there", b"old")]


def test_what_comes_in_between_is_kept_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, moved = tmp_path / "there", new_file._move

    def hurried(source: Path, target: Path) -> None:
        if source.suffix == ".part" and not path.exists():
            path.write_bytes(b"somebody else's")
        moved(source, target)

    path.write_bytes(b"old")
    monkeypatch.setattr(new_file, "_move", hurried)
    with pytest.raises(FileExistsError, match="others keep writing"):
        write(path, b"new")
    monkeypatch.setattr(new_file, "_move", moved)
    write(path, b"new")
    assert path.read_bytes() == b"new"
    contents = [each.read_bytes() for each in tmp_path.iterdir()]
    assert contents.count(b"old") == 1
    assert contents.count(b"somebody else's") == new_file._TRIES


@pytest.mark.parametrize("link", [False, True])
def test_a_folder_a_device_or_a_pipe_is_refused_also_behind_a_link(tmp_path: Path, link: bool) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        path = tmp_path / name
        if link:
            path = tmp_path / f"to {name}"
            path.symlink_to(tmp_path / name)
        for refused in (keep, lambda path: write(path, b"new")):
            with pytest.raises(OSError, match=r"device or a pipe|Is a directory"):
                refused(path)
        assert path.is_symlink() is link
    with pytest.raises(OSError, match="device or a pipe"):
        keep(Path(os.devnull))


def test_the_name_is_known_before(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"1")
    (tmp_path / "x~").symlink_to("nowhere")
    said = kept_as(tmp_path / "x")
    assert said == keep(tmp_path / "x") == tmp_path / "x~2"


def test_the_wire_opens_no_file_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / "link").symlink_to(tmp_path / "new")
    for name in ("precious", "link"):
        with pytest.raises(FileExistsError):
            CaptureWriter(str(tmp_path / name), 1 << 20)
    assert (tmp_path / "precious").read_bytes() == b"precious"
    assert not (tmp_path / "new").exists()
