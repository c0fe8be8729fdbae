"""Secrets of the lab's own TLS sessions: private while it runs, in a saved file only when asked, gone at its end."""

from __future__ import annotations

import os
import shutil
import stat
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from netlab.capture.savefile import secrets_in
from netlab.certificates import certs
from netlab.lab import Lab
from netlab.lab.errors import LabError
from netlab.lab.processes.key_log import KeyLog
from tests.support.echo import told
from tests.support.waiting import wait_until

SECRETS_BLOCK, TLS_KEY_LOG = 10, 0x544C534B


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certs.ensure(tmp_path_factory.mktemp("certs"))


@pytest.fixture
def lab(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    monkeypatch.setattr("netlab.lab.lab.lab_certificates", lambda: folder)
    with Lab("tls") as lab:
        session = lab.connect()
        session.send(b"Hello")
        session.recv(8192)
        yield lab


def blocks(path: Path) -> list[tuple[int, bytes]]:
    """Type and body of each block of a pcapng of this machine's byte order, read without netlab."""
    content, found = path.read_bytes(), []
    while content:
        kind, size = struct.unpack_from("<II", content)
        found.append((kind, content[8 : size - 4]))
        content = content[size:]
    return found


def test_secrets_are_in_the_file_only_when_asked(lab: Lab, tmp_path: Path) -> None:
    lab.save(tmp_path / "plain.pcapng")
    assert SECRETS_BLOCK not in [kind for kind, _ in blocks(tmp_path / "plain.pcapng")]
    random = lab.secrets.split()[1]
    assert random.encode() not in (tmp_path / "plain.pcapng").read_bytes()

    said = lab.command(f":save {tmp_path / 'with.pcapng'} --secrets")
    assert said is not None and "contains the secrets of its TLS sessions" in said
    saved = blocks(tmp_path / "with.pcapng")
    (body,) = [body for kind, body in saved if kind == SECRETS_BLOCK]
    kind, length = struct.unpack_from("<II", body)
    assert kind == TLS_KEY_LOG
    assert body[8 : 8 + length].decode() == lab.secrets
    assert secrets_in(tmp_path / "with.pcapng") == lab.secrets
    assert secrets_in(tmp_path / "plain.pcapng") == secrets_in(tmp_path / "none") == secrets_in(__file__) == ""
    assert {line.split()[0] for line in lab.secrets.splitlines() if not line.startswith("#")} >= {
        "CLIENT_TRAFFIC_SECRET_0",
        "SERVER_TRAFFIC_SECRET_0",
    }
    assert [each for each in saved if each[0] != SECRETS_BLOCK][2:] == blocks(tmp_path / "plain.pcapng")[2:]


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_tshark_reads_what_was_said(lab: Lab, tmp_path: Path) -> None:
    lab.save(tmp_path / "with.pcapng", secrets=True)
    lab.save(tmp_path / "plain.pcapng")
    port = lab.address.port

    def said(file: str) -> str:
        command = [
            "tshark",
            "-r",
            str(tmp_path / file),
            "-d",
            f"tcp.port=={port},tls",
            "-q",
            "-z",
            "follow,tls,ascii,0",
        ]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert said("with.pcapng").count("Hello") == 2
    assert "Hello" not in said("plain.pcapng")


def test_they_are_private_and_go_with_the_lab(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netlab.lab.lab.lab_certificates", lambda: folder)
    lab = Lab("tls")
    with lab:
        file = Path(str(lab.target(lab.address).keywords["keylog"]))
        assert stat.S_IMODE(file.stat().st_mode) == 0o600  # before its first byte
        lab.connect()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert file.read_text() == lab.secrets != ""
        capture = lab.capture.path.parent
        assert stat.S_IMODE(capture.stat().st_mode) == 0o700
        assert [path.suffix for path in capture.iterdir()] == [".pcapng"]
        transcript = "\n".join(told(lab.sessions[0]))
        assert "keylog" not in transcript
        assert lab.secrets.split()[2] not in transcript
    assert (not file.exists()) or file.read_bytes() == b""
    assert lab.secrets == ""


@pytest.mark.parametrize("in_memory", [True, False])
def test_a_key_log_is_private_from_its_first_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_memory: bool
) -> None:
    if not in_memory:
        monkeypatch.delattr(os, "memfd_create", raising=False)
    before = os.umask(0)
    try:
        log = KeyLog(lambda: tmp_path)
    finally:
        os.umask(before)
    with log.path.open("a") as file:
        file.write("CLIENT_RANDOM 00 11\n")
    assert (log.text, stat.S_IMODE(log.path.stat().st_mode)) == ("CLIENT_RANDOM 00 11\n", 0o600)
    assert bool(list(tmp_path.iterdir())) is not in_memory

    path = log.path
    log.close()
    log.close()
    assert log.text == ""
    if in_memory:
        with path.open("a") as file:
            file.write("said too late")  # nowhere: the number is not another file's yet
        assert path.read_bytes() == b""


def test_a_killed_app_leaves_no_secret(folder: Path) -> None:
    """Neither where the key log is in memory nor where it is a file."""
    words = [sys.executable, "-c", PARENT, str(folder)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        memory, file = (Path(line) for line in parent.stdout.readline().split())
        assert memory.is_dir() and file.exists()
        parent.kill()
    wait_until(lambda: not memory.exists() and not file.exists(), seconds=20)


PARENT = """
import os, sys
from pathlib import Path
from netlab.lab import Lab, lab as module
module.lab_certificates = lambda: Path(sys.argv[1])
one = Lab("tls")
one.start()
one.connect()
del os.memfd_create
other = Lab("tls")
other.start()
other.connect()
assert one.secrets and other.secrets
print(one.capture.path.parent, other.target(other.address).keywords["keylog"], flush=True)
input()
"""


def test_a_topic_without_secrets_says_so(tmp_path: Path) -> None:
    with Lab("tcp", model="threading") as lab:
        lab.connect().send(b"x")
        with pytest.raises(LabError, match="no TLS secrets"):
            lab.save(tmp_path / "x.pcapng", secrets=True)
        with pytest.raises(LabError, match="file's name"):
            lab.command(":save --secrets")
    assert not list(tmp_path.iterdir())
