"""What every protocol keeps to: its golden flows, and the laws for any bytes, however they are cut.

``flows/PROTOCOL-CASE.txt`` has the pieces of a flow, and the trees that they were seen to make;
`tests.support.flow_text` writes such files.
"""

from __future__ import annotations

import random
import tracemalloc
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netlab.capture.model import Direction, Transport
from netlab.dissect.fields import Dissection
from netlab.dissect.flow import MOST_OPENING, Match, Opening
from netlab.dissect.reading.dissector_state import DissectorState
from netlab.dissect.reading.flow_reader import FlowReader
from netlab.dissect.reading.in_memory import Piece, read_pieces, streams_of
from netlab.dissect.reading.protocol_discovery import protocol_named, protocols
from netlab.dissect.reading.recognition import recognise
from tests.support.field_laws import check_fields
from tests.support.flow_text import read_flow, trees
from tests.support.work import calls

UP, DOWN = Direction.TO_SERVER, Direction.TO_CLIENT
FLOWS = sorted((Path(__file__).parent / "flows").glob("*.txt"))
NAMES = [protocol.name for protocol in protocols()]
EVERY = pytest.mark.parametrize("name", NAMES)


def flow_of(path: Path) -> tuple[str, Transport, list[Piece], str]:
    transport, pieces, expected = read_flow(path.read_text(encoding="utf-8"))
    return path.stem.partition("-")[0], transport, pieces, expected


BYTES = sorted({data for path in FLOWS for _, data in flow_of(path)[2]})
"""Bytes that mean something to some protocol."""


def check(found: Dissection, length: int) -> None:
    """Fields lie within one another, and together they cover what is shown."""
    check_fields(found.fields, min((field.start for field in found.fields), default=0), 1 << 40)
    for before, after in pairwise(found.fields):
        assert before.end == after.start or after.buffer is not None, (before, after)
    if length:
        assert found.fields
        assert found.fields[0].start <= 0
        assert max(field.end for field in found.fields if field.buffer is None) == length


def whole(name: str, transport: Transport, pieces: list[Piece]) -> list[Dissection]:
    """Each piece's dissection, checked."""
    protocol = protocol_named(name)
    assert protocol is not None
    kept = [piece for piece in pieces if piece[1]]
    found = read_pieces(protocol.make, kept, transport)
    for (_, data), each in zip(kept, found, strict=True):
        assert not each.problem.startswith("the dissector failed"), each.problem
        check(each, len(data))
    return found


def test_every_protocol_has_golden_flows_of_both_directions() -> None:
    for name in NAMES:
        directions = {way for path in FLOWS if path.stem.startswith(f"{name}-") for way, _ in flow_of(path)[2]}
        assert directions == set(Direction), name


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_a_golden_flow_makes_its_trees_and_is_recognised(path: Path) -> None:
    name, transport, pieces, expected = flow_of(path)
    assert trees(whole(name, transport, pieces)) == expected
    if "raw" in path.stem or name == "text":
        return
    first = {way: b"".join(data for side, data in pieces if side is way)[:MOST_OPENING] for way in Direction}
    if transport is Transport.UDP:
        first = {way: next((data for side, data in pieces if side is way), b"") for way in Direction}
    guess = recognise(Opening(memoryview(first[UP]), memoryview(first[DOWN]), transport), protocols())
    assert guess.protocol is protocol_named(name)


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_a_golden_flow_cut_anywhere_keeps_the_laws(path: Path) -> None:
    name, transport, pieces, _ = flow_of(path)
    chance = random.Random(path.stem)
    for _ in range(12):
        cut = list[Piece]()
        for way, data in pieces:
            edges = sorted({0, len(data), *(chance.randrange(len(data) + 1) for _ in range(chance.randrange(4)))})
            cut += [(way, data[a:b]) for a, b in pairwise(edges)]
        whole(name, transport, cut[: chance.randrange(1, len(cut) + 1)])


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_a_flow_that_is_read_for_its_summaries_has_the_same(path: Path) -> None:
    name, transport, pieces, _ = flow_of(path)
    protocol = protocol_named(name)
    assert protocol is not None
    streams = streams_of(piece for piece in pieces if piece[1])
    full, brief = (DissectorState(protocol.make(), transport) for _ in range(2))
    while (step := full.next(streams)) is not None:
        assert step == brief.next(streams)
        whole = [reading.found for reading in full.step(streams, *step)]
        short = [reading.found for reading in brief.step(streams, *step, brief=True)]
        assert [(each.summary, each.needs, each.taken) for each in whole] == [
            (each.summary, each.needs, each.taken) for each in short
        ]


PIECES = st.lists(
    st.tuples(st.sampled_from(Direction), st.sampled_from([b"\0", *BYTES]) | st.binary(max_size=20)), max_size=8
)


@EVERY
@given(pieces=PIECES, cut=st.integers(0, 60))
@settings(max_examples=60, deadline=None)
def test_any_bytes_keep_the_laws(name: str, pieces: list[Piece], cut: int) -> None:
    protocol = protocol_named(name)
    assert protocol is not None
    for transport in protocol.transports:
        whole(name, transport, [(way, data[cut % (len(data) + 1) :]) for way, data in pieces])


@EVERY
@given(to_server=st.binary(max_size=40), to_client=st.binary(max_size=40), transport=st.sampled_from(Transport))
@settings(max_examples=60, deadline=None)
def test_any_beginning_is_compared(name: str, to_server: bytes, to_client: bytes, transport: Transport) -> None:
    protocol = protocol_named(name)
    assert protocol is not None
    found = protocol.recognise(Opening(memoryview(to_server), memoryview(to_client), transport))
    assert found in Match
    assert protocol.recognise(Opening(memoryview(b""), memoryview(b""), transport)) in (Match.NO, Match.UNDECIDED)


REPEATED = [b"\0", b"\n", b"\xff", b"1\r\nx\r\n", *(data[:400] for data in BYTES[:: max(len(BYTES) // 12, 1)])]


@EVERY
@pytest.mark.parametrize("number", range(8))
def test_four_times_the_bytes_take_about_four_times_the_work(name: str, number: int) -> None:
    protocol = protocol_named(name)
    assert protocol is not None
    for data in REPEATED[number::8]:
        for way in Direction:
            few, many, most = (
                partial(calls, lambda n=n, data=data, way=way: FlowReader(protocol.make, flood(data, way, n)).advance())
                for n in (8_000, 32_000, 128_000)
            )
            if (work := many()) >= 6 * few() + 3000:  # the few were the beginning of one long message: go further
                assert most() < 8 * work, (data[:40], way)


def flood(data: bytes, way: Direction, length: int):
    """A flow of so many bytes, which repeats some; in segments of 500 bytes."""
    many = data * (length // len(data) + 1)
    return streams_of((way, many[at : at + 500]) for at in range(0, length, 500))


@EVERY
def test_a_long_flow_stays_within_bounds(name: str) -> None:
    protocol = protocol_named(name)
    assert protocol is not None
    data = max((data for path in FLOWS if path.stem.startswith(f"{name}-") for _, data in flow_of(path)[2]), key=len)
    streams = streams_of((way, data * (1 + 3000 // len(data))) for _ in range(40) for way in Direction)
    reader = FlowReader(protocol.make, streams)
    tracemalloc.start()
    reader.advance()
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert reader.problem == ""
    assert kept < 8 << 20
    assert peak < 100 << 20
