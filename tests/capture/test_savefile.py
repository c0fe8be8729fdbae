"""Saving a capture: whole or not at all, with secrets inside when asked."""

from __future__ import annotations

import os
import stat
import struct
from pathlib import Path

import pytest

from netlab.capture.capture_file import Capture
from netlab.capture.model import CaptureError
from netlab.capture.savefile import save
from tests.support import build, independent

ECHO = build.capture(build.echo())
SECRETS = b"CLIENT_RANDOM 00 11\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "capture"
    path.write_bytes(ECHO + b"what is not yet complete")
    return path


def test_a_copy_ends_where_the_capture_is_complete(source: Path, tmp_path: Path) -> None:
    save(source, len(ECHO), tmp_path / "lab.pcapng")

    assert (tmp_path / "lab.pcapng").read_bytes() == ECHO
    assert stat.S_IMODE((tmp_path / "lab.pcapng").stat().st_mode) == 0o600


def test_it_keeps_what_was_there(source: Path, tmp_path: Path) -> None:
    (tmp_path / "lab.pcapng").write_bytes(b"older and longer" * 1000)
    kept = save(source, len(ECHO), tmp_path / "lab.pcapng")

    assert (tmp_path / "lab.pcapng").read_bytes() == ECHO
    assert kept == tmp_path / "lab.pcapng~"
    assert kept.read_bytes() == b"older and longer" * 1000


def test_secrets_stand_between_the_interfaces_and_the_packets(source: Path, tmp_path: Path) -> None:
    save(source, len(ECHO), tmp_path / "lab.pcapng", secrets=SECRETS)
    content = (tmp_path / "lab.pcapng").read_bytes()
    plain, opened = independent.blocks(ECHO), independent.blocks(content)

    assert opened[:2] + opened[3:] == plain
    assert opened[2] == (10, struct.pack("<II", 0x544C534B, len(SECRETS)) + SECRETS)
    with Capture.of_file(tmp_path / "lab.pcapng") as capture:
        assert capture.grow() + 1 == len(capture.segments) == 5


def test_secrets_in_the_other_byte_order_void_the_sections_length(tmp_path: Path) -> None:
    interfaces = build.interface(101, ">") * 2
    (tmp_path / "big").write_bytes(build.section(">", len(interfaces)) + interfaces)
    save(tmp_path / "big", 28 + len(interfaces), tmp_path / "copy", secrets=b"four")

    secrets = build.block(10, struct.pack(">II", 0x544C534B, 4) + b"four", ">")
    assert (tmp_path / "copy").read_bytes() == build.section(">", -1) + interfaces + secrets


@pytest.mark.parametrize("content", [build.pcap((1, 2, b"x")), b"", b"\n\r\r\n" + bytes(40)])
def test_secrets_need_a_pcapng(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "other").write_bytes(content)
    with pytest.raises(CaptureError):
        save(tmp_path / "other", len(content), tmp_path / "copy", secrets=SECRETS)

    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_a_source_that_is_too_short_leaves_nothing_behind(source: Path, tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="76 bytes shorter than was said"):
        save(source, len(ECHO) + 100, tmp_path / "lab.pcapng")

    assert list(tmp_path.iterdir()) == [source]


def test_a_full_disk_leaves_what_was_there(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lab.pcapng").write_bytes(b"older")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save(source, len(ECHO), tmp_path / "lab.pcapng")

    assert (tmp_path / "lab.pcapng").read_bytes() == b"older"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["capture", "lab.pcapng"]


def test_a_folder_in_the_way_leaves_nothing_behind(source: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="directory"):
        save(source, len(ECHO), tmp_path / "folder")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["capture", "folder"]


def test_a_device_or_pipe_is_not_replaced(source: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="it is a device or a pipe"):
        save(source, len(ECHO), tmp_path / "pipe")

    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert [path.name for path in tmp_path.iterdir() if path != source] == ["pipe"]


def test_a_folder_that_is_not_there(source: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        save(source, len(ECHO), tmp_path / "none" / "lab.pcapng")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_no_permission(source: Path, tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(PermissionError):
        save(source, len(ECHO), tmp_path / "closed" / "lab.pcapng")
