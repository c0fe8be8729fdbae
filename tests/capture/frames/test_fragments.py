"""IP packets that came in fragments: any cut, any order; bounded, and what is not whole is counted."""

from __future__ import annotations

import itertools
import struct
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netlab.capture.capture_file import Capture
from netlab.capture.frames import fragments
from netlab.capture.frames.fragments import FRAGMENT, OVERLAPPING
from netlab.capture.model import Direction, Kind
from tests.support import build
from tests.support.build import CLIENT, CLIENT6, SERVER, SERVER6

TEXT = bytes(range(256)) * 2
UDP_PACKET = struct.pack(">HHHH", CLIENT[1], SERVER[1], 8 + len(TEXT), 0) + TEXT
TCP_PACKET = build.tcp_header(CLIENT[1], SERVER[1], 7, build.PSH | build.ACK) + TEXT
unshared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def part4(whole: bytes, start: int, stop: int, *, number: int = 7, protocol: int = 17, more: bool = False) -> bytes:
    flags = 0x2000 if more or stop < len(whole) else 0
    packet = bytearray(build.ip(CLIENT[0], SERVER[0], protocol, whole[start:stop], fragment=flags | start // 8))
    packet[4:6] = struct.pack(">H", number)
    return bytes(packet)


def part6(whole: bytes, start: int, stop: int, *, number: int = 7, protocol: int = 17, more: bool = False) -> bytes:
    head = struct.pack(">BxHI", protocol, start | (more or stop < len(whole)), number)
    return build.ip(CLIENT6[0], SERVER6[0], 44, head + whole[start:stop])


PARTS = {4: part4, 6: part6}


def read(folder: Path, packets: list[bytes], step: int = 1000) -> Capture:
    path = folder / "fragments.pcapng"
    path.write_bytes(build.capture(packets, step=step))
    capture = Capture.of_file(path)
    capture.grow()
    assert capture.problem == ""
    return capture


@unshared
@given(st.data(), st.sampled_from([4, 6]), st.sampled_from([17, 6]))
def test_any_cut_in_any_order_is_put_together(tmp_path: Path, data: st.DataObject, version: int, protocol: int) -> None:
    whole = UDP_PACKET if protocol == 17 else TCP_PACKET
    cuts = sorted(data.draw(st.sets(st.integers(1, len(whole) // 8 - 1), min_size=1, max_size=12)))
    edges = [0, *(8 * cut for cut in cuts), len(whole)]
    part = PARTS[version]
    packets = [part(whole, *edge, protocol=protocol) for edge in itertools.pairwise(edges)]
    again = data.draw(st.lists(st.sampled_from(packets[:-1]), max_size=3))
    order = data.draw(st.permutations([*packets, *again]))
    capture = read(tmp_path, order)
    segment = capture.segments[0]

    assert (len(capture.segments), segment.length, segment.fragments) == (1, len(TEXT), len(packets))
    assert bytes(segment.data) == TEXT
    stream = capture.stream(segment.flow, segment.direction)
    assert b"".join(chunk.view for chunk in stream) == TEXT
    assert capture.unread.keys() <= {FRAGMENT}  # one sent again after the packet was whole


@pytest.mark.parametrize("part", PARTS.values())
def test_what_is_not_whole_is_counted(tmp_path: Path, part: object) -> None:
    assert callable(part)
    capture = read(tmp_path, [part(UDP_PACKET, 0, 64), part(UDP_PACKET, 128, 520)])

    assert len(capture.segments) == 0
    assert capture.unread == Counter({FRAGMENT: 2})


@pytest.mark.parametrize("part", PARTS.values())
def test_fragments_that_overlap_are_refused(tmp_path: Path, part: object) -> None:
    assert callable(part)
    capture = read(tmp_path, [part(UDP_PACKET, 0, 64), part(UDP_PACKET, 56, 128), part(UDP_PACKET, 128, 520)])

    assert len(capture.segments) == 0
    assert capture.unread == Counter({OVERLAPPING: 2, FRAGMENT: 1})


def test_two_packets_at_once_are_told_apart(tmp_path: Path) -> None:
    other = UDP_PACKET[:8] + bytes(len(TEXT))
    packets = [
        part4(UDP_PACKET, 0, 256),
        part4(other, 0, 256, number=8),
        part4(other, 256, 520, number=8),
        part4(UDP_PACKET, 256, 520),
    ]
    capture = read(tmp_path, packets)

    assert [bytes(segment.data) for segment in capture.segments] == [bytes(len(TEXT)), TEXT]


def test_a_number_used_again_later_is_another_packet(tmp_path: Path) -> None:
    late = [part4(bytes(520), 0, 256), part4(UDP_PACKET, 0, 256), part4(UDP_PACKET, 256, 520)]
    capture = read(tmp_path, late, step=61 * 10**9)

    assert len(capture.segments) == 0  # each came too late for the one before
    assert capture.unread == Counter({FRAGMENT: 3})
    capture = read(tmp_path, [late[0], *[b"\x45" + bytes(30)] * 60, *late[1:]], step=10**9 + 1)
    assert bytes(capture.segments[0].data) == TEXT


def test_those_that_wait_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragments, "MOST_WAITING", 10)
    alone = [part4(UDP_PACKET, 0, 256, number=number) for number in range(30)]
    capture = read(tmp_path, [*alone, part4(UDP_PACKET, 256, 520, number=0), part4(UDP_PACKET, 256, 520, number=29)])

    assert capture._reading.fragments.waiting <= 10
    assert [bytes(segment.data) for segment in capture.segments] == [TEXT]  # the last one's rest came in time
    assert capture.unread == Counter({FRAGMENT: 30})


def test_a_fragment_that_was_cut_ends_what_is_shown(tmp_path: Path) -> None:
    first, last = part4(UDP_PACKET, 0, 256), part4(UDP_PACKET, 256, 520)
    path = tmp_path / "cut.pcapng"
    path.write_bytes(build.capture([]) + build.enhanced(first[:100], length=len(first)) + build.enhanced(last))
    capture = Capture.of_file(path)
    capture.grow()

    assert (capture.segments[0].length, bytes(capture.segments[0].data)) == (len(TEXT), TEXT[: 100 - 28])


def test_a_pure_acknowledgement_in_fragments_is_no_segment(tmp_path: Path) -> None:
    ack = build.tcp_header(CLIENT[1], SERVER[1], 1, build.ACK)
    packets = [part4(ack, 0, 8, protocol=6), part4(ack, 8, 20, protocol=6), build.tcp(CLIENT, SERVER, 5, payload=b"Hi")]
    capture = read(tmp_path, packets)

    assert [(s.kind, bytes(s.data), s.fragments) for s in capture.segments] == [(Kind.DATA, b"Hi", 0)]


def test_a_fragmented_packet_of_another_protocol_is_named(tmp_path: Path) -> None:
    capture = read(tmp_path, [part4(bytes(64), 0, 32, protocol=1), part4(bytes(64), 32, 64, protocol=1)])

    assert capture.unread == Counter({"ICMP": 2})


def test_a_tunnel_in_fragments(tmp_path: Path) -> None:
    gre = b"\0\0\x08\0" + build.tcp(CLIENT, SERVER, 5, payload=TEXT)
    capture = read(tmp_path, [part4(gre, 0, 240, protocol=47), part4(gre, 240, len(gre), protocol=47)])

    assert bytes(capture.segments[0].data) == TEXT
    assert capture.segments[0].direction is Direction.TO_SERVER
