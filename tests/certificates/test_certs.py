"""The lab's certificates: made, private, renewed, and bad in just the way that they say."""

import shutil
import ssl
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from netlab.certificates import certs
from netlab.certificates import folder as certificate_folder
from netlab.certificates.folder import MARKER


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return certs.ensure(tmp_path_factory.mktemp("certs"))


def test_all_files_are_there_and_keys_are_private(folder):
    for name in certs.FILES:
        assert (folder / name).exists()
    keys = [*folder.glob("*_key.pem"), *(folder / "gallery").glob("*_key.pem")]
    assert len(keys) == 2 + len(certs.GALLERY)
    assert {path.stat().st_mode & 0o777 for path in keys} == {0o600}


def test_what_is_good_is_kept(folder):
    before = (folder / "server_cert.pem").read_bytes()
    certs.ensure(folder)
    assert (folder / "server_cert.pem").read_bytes() == before


@pytest.mark.parametrize("harm", ["delete", "damage", "share", "mix", "expire"])
def test_what_is_not_good_is_made_again(tmp_path, folder, harm):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    server = tmp_path / "server_cert.pem"
    before = server.read_bytes()
    if harm == "delete":
        (tmp_path / "client_key.pem").unlink()
    elif harm == "damage":
        server.write_bytes(b"-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
    elif harm == "share":
        (tmp_path / "server_key.pem").chmod(0o644)
    elif harm == "mix":
        shutil.copy(tmp_path / "client_key.pem", tmp_path / "server_key.pem")
    else:
        shutil.copy(tmp_path / "gallery/expired_cert.pem", server)
        shutil.copy(tmp_path / "gallery/expired_key.pem", tmp_path / "server_key.pem")
    certs.ensure(tmp_path)
    assert server.read_bytes() != before
    assert certs.read(server).not_valid_after_utc > datetime.now(UTC) + timedelta(days=300)
    assert (tmp_path / "server_key.pem").stat().st_mode & 0o777 == 0o600


def test_two_processes_at_once_leave_one_set_that_fits(tmp_path):
    threads = [threading.Thread(target=certs.ensure, args=(tmp_path,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server_cert.pem", tmp_path / "server_key.pem")
    certs.read(tmp_path / "server_cert.pem").verify_directly_issued_by(certs.read(tmp_path / "ca_cert.pem"))


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    assert certs.main(["--dir", str(tmp_path / "file" / "certs")]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "cannot make certificates" in error
    assert error.endswith("--dir chooses another folder\n")


def test_the_command_describes_every_certificate(folder, capsys):
    assert certs.main(["--dir", str(folder)]) == 0
    printed = capsys.readouterr().out
    for bad in certs.GALLERY:
        assert f"{bad.name}_cert.pem: {bad.fault}" in printed
    assert "CN=netlab lab CA" in printed
    assert "PRIVATE" not in printed


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
@pytest.mark.parametrize("name", ["server_cert.pem", "client_cert.pem"])
def test_openssl_accepts_the_chain_strictly(folder, name):
    command = ["openssl", "verify", "-x509_strict", "-CAfile", folder / "ca_cert.pem", folder / name]
    assert subprocess.run(command, capture_output=True).returncode == 0


def test_an_empty_folder_name_strews_no_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        certs.main(["--dir", ""])
    assert ended.value.code == 2
    assert "'' is not a folder" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


# Folders that are a person's own


def contents(folder: Path) -> dict[str, bytes | str]:
    """Every file below a folder, the hidden ones too; of a symbolic link, where it leads."""
    return {
        str(path.relative_to(folder)): str(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def persons_own(folder: Path, where: Path, *names: str) -> Path:
    """A folder with these files and no marker, as a person has it."""
    where.mkdir()
    for name in names:
        shutil.copy(folder / name, where / name)
    (where / "notes.txt").write_text("mine")
    return where


@pytest.mark.parametrize("names", [certs.SERVED, certs.FILES])
def test_a_persons_own_certificates_are_served_as_they_are(tmp_path: Path, folder: Path, names: tuple[str]) -> None:
    mine = persons_own(folder, tmp_path / "mine", *names)
    before = contents(mine)
    assert certs.ensure(mine) == mine
    assert contents(mine) == before


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (["server_cert.pem"], "server_key.pem is missing"),
        ([], "server_cert.pem and server_key.pem are missing"),
    ],
)
def test_what_a_persons_own_folder_lacks_is_said_and_nothing_is_written(
    tmp_path: Path, folder: Path, names: list[str], why: str
) -> None:
    mine = persons_own(folder, tmp_path / "mine", *names)
    before = contents(mine)
    with pytest.raises(certs.CertificatesFailed, match=why):
        certs.ensure(mine)
    with pytest.raises(certs.CertificatesFailed, match=why):
        certs.copy(mine)
    assert contents(mine) == before


def test_a_persons_own_certificates_are_never_renewed(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = persons_own(folder, tmp_path / "mine", *certs.FILES)
    before = contents(mine)
    assert certs.main(["--dir", str(mine), "--renew"]) == 1
    assert "netlab did not fill that folder and writes nothing there" in capsys.readouterr().err
    assert certs.main(["--dir", str(mine)]) == 0
    assert "CN=localhost" in capsys.readouterr().out
    assert contents(mine) == before


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("server_key.pem", "no key", "server_key.pem holds no private key"),
        ("server_key.pem", None, "server_key.pem is not the key of server_cert.pem"),
        ("server_cert.pem", "no certificate", "server_cert.pem holds no certificate"),
    ],
)
def test_what_cannot_be_served_is_refused_with_its_reason(
    tmp_path: Path, folder: Path, name: str, content: str | None, why: str
) -> None:
    mine = persons_own(folder, tmp_path / "mine", *certs.FILES)
    (mine / name).write_text((folder / "client_key.pem").read_text() if content is None else content)
    before = contents(mine)
    with pytest.raises(certs.CertificatesFailed, match=why):
        certs.ensure(mine)
    assert contents(mine) == before


def test_a_key_with_a_password_is_refused_and_not_asked_for(tmp_path: Path, folder: Path) -> None:
    mine = persons_own(folder, tmp_path / "mine", "server_cert.pem")
    key = serialization.load_pem_private_key((folder / "server_key.pem").read_bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"secret")
    )
    (mine / "server_key.pem").write_bytes(locked)
    with pytest.raises(certs.CertificatesFailed, match="protected by a password"):
        certs.ensure(mine)


def test_a_persons_file_among_netlabs_own_is_kept(tmp_path: Path, folder: Path) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    said: list[str] = []
    for number in (1, 2):
        (tmp_path / "server_key.pem").write_text(f"my only copy {number}")
        certs.ensure(tmp_path, say=said.append)
    assert (tmp_path / "server_key.pem~").read_text() == "my only copy 1"
    assert (tmp_path / "server_key.pem~2").read_text() == "my only copy 2"
    assert [line.rpartition(" ")[2] for line in said] == [str(tmp_path / f"server_key.pem{n}") for n in ("~", "~2")]


def test_no_symbolic_link_is_followed(tmp_path: Path, folder: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("keep")
    ours = tmp_path / "ours"
    shutil.copytree(folder, ours)
    for name in ("server_key.pem", "server_key.pem.new"):
        (ours / name).unlink(missing_ok=True)
        (ours / name).symlink_to(precious)
    certs.ensure(ours)
    assert precious.read_text() == "keep"
    assert not (ours / "server_key.pem").is_symlink()

    (tmp_path / "empty").mkdir()
    for name, target in (("linked", tmp_path / "empty"), ("locked", tmp_path / "locked-folder")):
        target.mkdir(exist_ok=True)
        (tmp_path / name).symlink_to(target)
        with pytest.raises(certs.CertificatesFailed, match="symbolic link"):
            certs.ensure(tmp_path / name)
        assert not list(target.iterdir())


def test_a_marker_that_is_a_link_makes_no_folder_netlabs(tmp_path: Path, folder: Path) -> None:
    mine = persons_own(folder, tmp_path / "mine")
    (mine / MARKER).symlink_to(folder / MARKER)
    with pytest.raises(certs.CertificatesFailed, match="missing"):
        certs.ensure(mine)


def test_a_folder_that_was_left_half_filled_is_netlabs_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Path] = []
    write = certificate_folder._write

    def stop(path: Path, content: bytes, mode: int) -> None:
        if len(written) > 3:
            raise KeyboardInterrupt
        written.append(path)
        write(path, content, mode)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(certificate_folder, "_write", stop)
        certs.ensure(tmp_path)
    certs.ensure(tmp_path)
    assert not list(tmp_path.rglob("*~*"))
    certs.read(tmp_path / "server_cert.pem").verify_directly_issued_by(certs.read(tmp_path / "ca_cert.pem"))


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_a_key_is_private_from_its_first_byte(tmp_path: Path) -> None:
    make = f"certs.main(['--dir', {str(tmp_path / 'new')!r}])"
    program = f"import os; os.umask(0); from netlab.certificates import certs; {make}"
    command = ["strace", "-f", "-e", "trace=openat,open,chmod,fchmod,fchmodat", sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    opened = [line for line in done.stderr.splitlines() if "_key.pem" in line and "O_CREAT" in line]
    assert len(opened) == 2 + len(certs.GALLERY)
    assert all("O_EXCL" in line and ", 0600)" in line for line in opened), opened


def test_the_copy_for_ejected_files_is_of_the_labs_own_authority(tmp_path: Path) -> None:
    lab = certs.ensure()
    for _ in range(2):
        certs.copy(tmp_path / "certs")
    assert {name: (tmp_path / "certs" / name).read_bytes() for name in certs.FILES} == {
        name: (lab / name).read_bytes() for name in certs.FILES
    }
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "certs").glob("*_key.pem")} == {0o600}
    assert certs.ensure(tmp_path / "certs") == tmp_path / "certs"


def test_a_checkouts_folder_counts_as_empty_with_its_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(certs.ENVIRONMENT, str(tmp_path))
    (tmp_path / "README.md").write_text("what this is")
    assert not certs.exists()
    certs.ensure()
    assert certs.exists()
    assert (tmp_path / "README.md").read_text() == "what this is"
