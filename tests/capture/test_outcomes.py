"""What became of a segment is a value in the file, whatever its words; Wireshark shows it, older captures are read."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from netlab.capture.capture_file import Capture
from netlab.capture.model import Direction, Endpoint, Outcome, Segment
from netlab.capture.packet_recorder import TcpRecord, UdpRecord
from netlab.capture.savefile import save
from netlab.capture.writer import CaptureWriter
from tests.support import build

CLIENT, SERVER = Endpoint("127.0.0.1", 53422), Endpoint("127.0.0.1", 20000)
NOW = 10**18
WORDS = ["", "dropped", "lost in transit", "not dropped at all", "netlab: outcome=", "outcome=delivered"]


def segments(path: Path) -> list[Segment]:
    with Capture.of_file(path) as capture:
        capture.grow()
        assert not capture.problem
        return list(capture.segments)


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("record_of", [TcpRecord, UdpRecord])
def test_no_words_make_an_outcome(tmp_path: Path, words: str, record_of: type[TcpRecord] | type[UdpRecord]) -> None:
    writer = CaptureWriter(str(tmp_path / "a.pcapng"), 1 << 20)
    way = record_of(writer, CLIENT, SERVER).way(Direction.TO_SERVER)
    way.carried(NOW, memoryview(b"passed"), words)
    way.dropped(NOW, memoryview(b"gone"), words)
    way.carried(NOW, memoryview(b"Jello"), words, memoryview(b"Hello"))
    writer.close()
    save(tmp_path / "a.pcapng", writer.length, tmp_path / "saved.pcapng", secrets=b"CLIENT_RANDOM 00 00\n")
    for name in ("a.pcapng", "saved.pcapng"):
        found = segments(tmp_path / name)
        assert [(each.outcome, each.fate) for each in found] == [
            (Outcome.DELIVERED, words),
            (Outcome.DROPPED, words),
            (Outcome.CHANGED, words),
        ]
        assert bytes(found[1].dropped or b"") == b"gone"
        assert found[1].words.startswith("dropped")


def test_wireshark_shows_fate_and_outcome(tmp_path: Path) -> None:
    if shutil.which("tshark") is None:
        pytest.skip("needs tshark")
    path = tmp_path / "a.pcapng"
    writer = CaptureWriter(str(path), 1 << 20)
    UdpRecord(writer, CLIENT, SERVER).way(Direction.TO_SERVER).dropped(NOW, memoryview(b"gone"), "lost in transit")
    writer.close()
    command = ["tshark", "-r", str(path), "-T", "fields", "-e", "frame.comment", "-E", "separator=|"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "lost in transit" in shown and "netlab: outcome=dropped" in shown


def old_file(application: str) -> bytes:
    """A capture whose packets have a fate and no outcome."""
    header = bytearray(build.section())
    options = build.option(4, application.encode()) + bytes(4)
    size = len(header) + len(options)
    whole = header[:4] + size.to_bytes(4, "little") + header[8:-4] + options + size.to_bytes(4, "little")
    packets = [
        build.enhanced(build.udp(build.CLIENT, build.SERVER, b"a"), comments=("dropped: in transit",)),
        build.enhanced(build.udp(build.CLIENT, build.SERVER, b"b"), comments=("held 20 ms",)),
    ]
    return bytes(whole) + build.interface() + b"".join(packets)


def test_captures_of_older_versions_are_read_by_their_words(tmp_path: Path) -> None:
    (tmp_path / "old.pcapng").write_bytes(old_file("netlab 0.0.9"))
    lost, held = segments(tmp_path / "old.pcapng")
    assert (lost.outcome, lost.words) == (Outcome.DROPPED, "dropped: in transit")
    assert (held.outcome, held.words) == (Outcome.DELIVERED, "held 20 ms")


def test_comments_of_other_programs_decide_nothing(tmp_path: Path) -> None:
    (tmp_path / "theirs.pcapng").write_bytes(old_file("Dumpcap (Wireshark) 4.0"))
    lost, _ = segments(tmp_path / "theirs.pcapng")
    assert (lost.outcome, lost.words) == (Outcome.DELIVERED, "dropped: in transit")
