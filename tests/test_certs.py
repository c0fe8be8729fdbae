"""The lab's certificates: made, private, renewed, and bad in just the way that they say."""

import shutil
import ssl
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from netlab import certs


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
def test_what_is_not_good_is_made_anew(tmp_path, folder, harm):
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
    assert "'' is no folder" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
