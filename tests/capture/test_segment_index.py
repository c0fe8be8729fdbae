"""The columns that hold where segments lie: they widen, and a route's rows are found in them."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

import pytest

from netlab.capture.capture_file import Capture
from netlab.capture.files.segment_index import SegmentIndex
from netlab.capture.segment_reader import SegmentReader
from tests.support import build
from tests.support.build import ACK, CLIENT, FIN, PSH, RST, SERVER, SYN


@pytest.mark.parametrize("routes", [[0, 1, 0, 256, 1, 257, 0], [0, 65536, 1, 65537, 1 << 24, 0, 65536, 256]])
def test_the_rows_of_a_route_are_those_and_no_others(routes: list[int]) -> None:
    index = SegmentIndex()
    for row, route in enumerate(routes):
        index.add(row, 0, 0, route)

    for route in {*routes, 2, 1 << 33}:
        assert list(index.of_route(route, 0, 99)) == [row for row, each in enumerate(routes) if each == route]
    assert list(index.of_route(0, 1, len(routes) - 1)) == [row for row in range(1, len(routes) - 1) if not routes[row]]
    assert index.all_routes == set(routes)


def test_a_column_widens_where_a_value_does_not_fit() -> None:
    index = SegmentIndex()
    rows = [(1, 2, 3, 4), (1 << 40, -5, 1 << 20, 70_000), (7, 1 << 33, 9, 10)]
    for row in rows:
        index.add(*row)

    assert list(zip(index.places, index.positions, index.lengths, index.routes, strict=True)) == rows
    assert len(index) == 3


def test_what_an_attempt_left_is_removed() -> None:
    index = SegmentIndex()
    add_route, add_position, *_ = index.appends()
    add_route(5)
    add_position(6)
    index.add(1, 2, 3, 4)

    assert [list(column) for column in (index.routes, index.positions, index.lengths, index.places)] == [
        [4], [2], [3], [1],
    ]  # fmt: skip


def talk(seed: int) -> Iterable[bytes]:
    """Packets of two connections: in order, again, late, beyond a gap, alone, cut, with fates, and across a wrap."""
    chosen = random.Random(seed)
    nexts = {(SERVER, CLIENT): 2**32 - 40, (CLIENT, SERVER): 101, (SERVER, ("127.0.0.1", 9)): 1}
    if seed % 2:
        yield from (build.enhanced(packet) for packet in build.opened(second=2**32 - 41))
    for _ in range(60):
        ends = chosen.choice(list(nexts))
        flags = chosen.choice([ACK, PSH | ACK, PSH | ACK, PSH | ACK, FIN | ACK, RST, SYN])
        data = bytes(chosen.choice([0, 1, 7, 20]))
        sequence = (nexts[ends] + chosen.choice([0, 0, 0, 0, -5, 9])) % 2**32
        nexts[ends] = sequence + len(data)
        packet = build.tcp(*ends, sequence, flags, data)
        comments = ("netlab: outcome=dropped",) if chosen.random() < 0.1 else ()
        if comments and chosen.random() < 0.5:
            yield build.original(b"before")
        yield build.enhanced(packet[: chosen.choice([39, 40, 99])], length=len(packet), comments=comments)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("link", ["raw", "ethernet"])
def test_segments_are_the_same_as_read_one_by_one(tmp_path: Path, seed: int, link: str) -> None:
    content = build.section() + build.interface() + b"".join(talk(seed))
    if link == "ethernet":
        packets = (packet for _, packet in _packets(content))
        content = (
            build.section() + build.interface(1) + b"".join(build.enhanced(bytes(12) + b"\x08\0" + p) for p in packets)
        )
    (tmp_path / "talk.pcapng").write_bytes(content)
    reader = SegmentReader()
    expected = [found.segment for found in reader.feed(content)]
    with Capture.of_file(tmp_path / "talk.pcapng") as capture:
        capture.grow()
        assert list(capture.segments) == expected
        assert capture.unread == reader.unread
        assert len(expected) > 10
        for flow in capture.flows:
            numbers = [segment.number for segment in expected if segment.flow == flow]
            assert list(capture.numbers(flow)) == numbers


def _packets(content: bytes) -> Iterable[tuple[int, bytes]]:
    at = 0
    while at < len(content):
        kind, size = int.from_bytes(content[at : at + 4], "little"), int.from_bytes(content[at + 4 : at + 8], "little")
        if kind == 6:
            captured = int.from_bytes(content[at + 20 : at + 24], "little")
            yield at, content[at + 28 : at + 28 + captured]
        at += size
