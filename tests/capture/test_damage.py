"""Files cut short or damaged: everything up to there, and a sentence; never another exception."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netlab.capture.capture_file import Capture
from netlab.capture.frames.links import LINKS
from netlab.capture.model import CaptureError, Direction
from tests.capture.frames.test_fragments import PARTS, UDP_PACKET
from tests.capture.test_formats import LINKED
from tests.support import build

ECHO = build.capture(build.echo())
RICH = (
    ECHO
    + build.original(b"Hello")
    + build.enhanced(build.echo()[3], comments=("corrupted",))
    + build.simple(build.echo()[4])
    + build.section(">")
    + build.interface(1, ">")
    + build.old(bytes(12) + b"\x81\0\0\1\x86\xdd" + build.udp(build.CLIENT6, build.SERVER6, b"time?"), order=">")
)
WRAPPED = build.pcap(
    *((1, 2, packet) for _, packet in LINKED.values() if packet[:1] == b"E"),
    *((1, 2, part(UDP_PACKET, *ends)) for part in PARTS.values() for ends in ((0, 64), (128, 520), (64, 128))),
)  # tunnels and fragments
OTHER = build.pcap(*((1, 2, packet) for packet in build.echo()), order=">")
SAMPLES = (ECHO, RICH, OTHER, WRAPPED)
LAST_BLOCK = len(build.enhanced(build.echo()[-1]))


def everything(path: Path) -> tuple[int, str]:
    """Look at all that a capture has; how many segments, and its problem."""
    with Capture.of_file(path) as capture:
        capture.grow()
        segments = list(capture.segments)
        for flow in capture.flows:
            for way in Direction:
                stream = capture.stream(flow, way)
                assert sum(len(chunk.view) for chunk in stream) <= stream.length
                bytes(stream.view(0, 100))
        for segment in segments:
            assert len(segment.data) <= segment.length
            assert segment.fate.isprintable()
        return len(segments), capture.problem


def test_a_file_cut_short_is_read_up_to_there(tmp_path: Path) -> None:
    path = tmp_path / "cut.pcapng"
    path.write_bytes(ECHO[:-1])

    assert everything(path) == (5, f"the file ends inside the block that begins at byte {len(ECHO) - LAST_BLOCK:,}")


def test_a_pcap_file_cut_short_is_read_up_to_there(tmp_path: Path) -> None:
    path = tmp_path / "cut.pcap"
    path.write_bytes(OTHER[:-1])

    assert everything(path) == (5, f"the file ends inside the block that begins at byte {len(OTHER) - 56:,}")


def changed(at: int, value: bytes) -> bytes:
    at %= len(ECHO)
    return ECHO[:at] + value + ECHO[at + len(value) :]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (changed(-4, b"\x99\0\0\0"), "bytes long by its head and 153 by its end"),
        (changed(-LAST_BLOCK + 4, b"\x0b\0\0\0"), "says that it is 11 bytes long, which no block can be"),
        (changed(-LAST_BLOCK + 8, b"\x07\0\0\0"), "names interface 7, which the file does not describe"),
        (changed(-LAST_BLOCK + 20, b"\xff\xff\0\0"), "says that it holds 65,535 bytes, more than its block"),
        (ECHO + build.block(6, b""), "is too short"),
        (ECHO + build.block(1, b""), "is too short"),
        (ECHO + build.block(0x0A0D0D0A, bytes(16)), "has no byte-order mark"),
        (OTHER + bytes(8) + b"\x7f" + bytes(7), "says that it holds 2,130,706,432 bytes, which is too many"),
    ],
)
def test_damage_is_said_with_its_place(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "damaged.pcapng"
    path.write_bytes(content)
    segments, said = everything(path)

    assert segments == 5
    assert f"{problem}; what follows cannot be read" in said
    assert "at byte " in said


def test_damage_stops_the_reading_for_good(tmp_path: Path) -> None:
    path = tmp_path / "damaged.pcapng"
    path.write_bytes(ECHO + build.block(6, b""))
    capture = Capture(path)
    capture.grow()
    path.write_bytes(ECHO + build.block(6, b"") + ECHO)

    assert capture.grow() == 0
    assert "is too short" in capture.problem


def survives(path: Path) -> None:
    try:
        everything(path)
    except CaptureError as error:
        assert str(error)


unshared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@unshared
@given(st.sampled_from(SAMPLES), st.data())
def test_any_change_and_any_cut(tmp_path: Path, sample: bytes, data: st.DataObject) -> None:
    content = bytearray(sample[: data.draw(st.integers(0, len(sample)))])
    places = st.integers(0, max(len(content) - 1, 0))
    for at, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=8)):
        content[at : at + 1] = bytes([value])
    path = tmp_path / "any"
    path.write_bytes(content)
    survives(path)


@unshared
@given(st.sampled_from([ECHO[:4], ECHO[:28], ECHO[:60], RICH, OTHER[:4], OTHER[:24], b""]), st.binary(max_size=200))
def test_any_bytes(tmp_path: Path, beginning: bytes, rest: bytes) -> None:
    path = tmp_path / "any"
    path.write_bytes(beginning + rest)
    survives(path)


@unshared
@given(st.sampled_from(list(LINKED.values())), st.data())
def test_any_change_around_ip(tmp_path: Path, linked: tuple[int, bytes], data: st.DataObject) -> None:
    link, packet = linked[0], bytearray(linked[1])
    for at, value in data.draw(st.lists(st.tuples(st.integers(0, len(packet) - 1), st.integers(0, 255)), max_size=4)):
        packet[at] = value
    path = tmp_path / "any"
    path.write_bytes(build.section() + build.interface(link) + build.enhanced(bytes(packet)))
    with Capture.of_file(path) as capture:
        capture.grow()
        assert len(capture.segments) + capture.unread.total() <= 1
    everything(path)


@unshared
@given(st.binary(max_size=120), st.sampled_from(sorted(LINKS)))
def test_any_packet(tmp_path: Path, packet: bytes, link: int) -> None:
    path = tmp_path / "any"
    path.write_bytes(build.section() + build.interface(link) + build.enhanced(packet))
    segments, problem = everything(path)
    assert (segments <= 1, problem) == (True, "")
