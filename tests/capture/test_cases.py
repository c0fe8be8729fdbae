"""Small captures of kinds that are common in public files, read as the RFCs and tshark have it."""

from __future__ import annotations

from collections import Counter

import pytest

from netlab.capture.capture_file import Capture
from netlab.capture.model import Direction, Kind, Transport
from tests.support.folders import CAPTURE_CASES

TO_SERVER, TO_CLIENT = Direction
GET = b"GET / HTTP/1.0\r\n\r\n"


def case(name: str) -> Capture:
    capture = Capture.of_file(CAPTURE_CASES / name)
    capture.grow()
    assert capture.problem == ""
    return capture


def carried(capture: Capture, way: Direction) -> bytes:
    stream = capture.stream(capture.flows[0], way)
    return bytes(stream.view(0, stream.length))


def test_every_case_is_one_flow() -> None:
    for path in CAPTURE_CASES.iterdir():
        assert len(case(path.name).flows) == 1, path


def test_flags_carry_bytes() -> None:
    capture = case("syn_fin_rst_with_data.pcap")

    assert [(s.kind, s.direction, s.length, bytes(s.data)) for s in capture.segments] == [
        (Kind.OPEN, TO_SERVER, 9, b"hello syn"),
        (Kind.FIN, TO_CLIENT, 29, b"HTTP/1.0 200 OK\r\n\r\nlast bytes"),
        (Kind.RESET, TO_SERVER, 10, b"reset: why"),
    ]
    assert all(segment.carries for segment in capture.segments)
    assert carried(capture, TO_SERVER) == b"hello synreset: why"
    assert carried(capture, TO_CLIENT) == b"HTTP/1.0 200 OK\r\n\r\nlast bytes"


def test_what_overlaps_the_beginning_is_trimmed_to_what_is_known() -> None:
    capture = case("overlaps_the_beginning.pcap")

    assert [(s.offset, s.length) for s in capture.segments] == [(0, 10), (-10, 30), (20, 5)]
    assert carried(capture, TO_SERVER) == b"0123456789ABCDEFGHIJ" + bytes(capture.segments[2].data)
    assert [(c.offset, c.length, c.segment) for c in capture.stream(capture.flows[0], TO_SERVER)] == [
        (0, 10, 1),
        (10, 10, 2),
        (20, 5, 3),
    ]


def test_both_ends_may_open_one_connection() -> None:
    capture = case("simultaneous_open.pcap")

    assert [(s.kind, s.direction, s.length, s.offset) for s in capture.segments] == [
        (Kind.OPEN, TO_SERVER, 0, 0),
        (Kind.OPEN, TO_CLIENT, 0, 0),
        (Kind.DATA, TO_SERVER, 6, 0),
        (Kind.DATA, TO_CLIENT, 6, 0),
    ]
    assert capture.flows[0].server.port == 80


@pytest.mark.parametrize("name", ["pbit.pcap", "orig_len_zero.pcap", "snap.pcap", "pppoe.pcap", "gre.pcap"])
def test_what_stands_around_ip(name: str) -> None:
    capture = case(name)

    assert carried(capture, TO_SERVER) == GET
    assert capture.segments[-1].length == 18
    assert not capture.unread


def test_fragments_are_put_together() -> None:
    capture = case("udp_fragments.pcap")
    (segment,) = capture.segments

    assert (segment.flow.transport, segment.flow.server.port) == (Transport.UDP, 20000)
    assert (segment.length, segment.fragments) == (2048, 2)
    assert bytes(segment.data) == bytes(range(256)) * 8
    assert not capture.unread


def test_what_is_not_read_is_counted_by_its_reason() -> None:
    capture = case("one_interface_not_understood.pcapng")

    assert [segment.length for segment in capture.segments] == [0, 18]
    assert capture.unread == Counter({"of link type IEEE802_11 (105)": 1})
