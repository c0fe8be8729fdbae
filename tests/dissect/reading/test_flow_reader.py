"""A flow read forward, and asked about again in any order: the answers are those of the moment."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Iterable
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from netlab.capture.model import Direction, Transport
from netlab.capture.stream import Chunk
from netlab.dissect.field_reader import FieldReader, Short
from netlab.dissect.fields import MOST_DERIVED, Derived, Dissection, Field
from netlab.dissect.flow import MOST_WAITING, FlowDissector, Run, Stateless
from netlab.dissect.reading.flow_reader import MOST_CHECKPOINTS, FlowReader
from netlab.dissect.reading.in_memory import Piece, read_pieces, streams_of

UP, DOWN = Direction.TO_SERVER, Direction.TO_CLIENT


class Counting:
    """Messages with a length of two bytes; each is numbered, over both directions, when it is whole."""

    def __init__(self) -> None:
        self.messages = 0

    def feed(self, run: Run) -> Dissection:
        """The messages, each named after its number in the flow."""
        reader, fields = FieldReader(run.data), list[Field]()
        while reader.left:
            start = reader.at
            try:
                body = reader.vector(2)
            except Short as short:
                fields.append(Field("waiting", start, reader.end, "bytes", str(self.messages + 1)))
                return Dissection(tuple(fields), _values(fields), short.missing, taken=start)
            self.messages += 1
            fields.append(Field("message", start, body.end, "bytes", str(self.messages)))
        return Dissection(tuple(fields), _values(fields))


def _values(fields: Iterable[Field]) -> str:
    return " ".join(f"{field.name}{field.value}" for field in fields)


def message(length: int) -> bytes:
    return length.to_bytes(2, "big") + b"x" * length


def cut(way: Direction, data: bytes, places: Iterable[int]) -> list[Piece]:
    edges = [0, *sorted({place % (len(data) + 1) for place in places}), len(data)]
    return [(way, data[a:b]) for a, b in pairwise(edges) if a < b]


TURN = st.tuples(st.sampled_from(Direction), st.lists(st.integers(0, 40), max_size=4), st.lists(st.integers(0, 200)))


@given(st.lists(TURN, max_size=8), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_any_segment_is_answered_as_of_its_moment_in_any_order(turns: list, order: random.Random) -> None:
    pieces = [piece for way, lengths, places in turns for piece in cut(way, b"".join(map(message, lengths)), places)]
    asked_afresh = [read_pieces(Counting, pieces[: number + 1])[-1] for number in range(len(pieces))]
    streams = streams_of(pieces)
    reader = FlowReader(Counting, streams)
    chunks = [(way, chunk) for way in Direction for chunk in streams[way]]
    order.shuffle(chunks)
    for way, chunk in chunks:
        found = reader.at(way, chunk.offset, chunk.offset + chunk.length)
        assert found == asked_afresh[chunk.segment - 1]
        assert all(field.end > 0 and field.start < chunk.length for field in found.fields)


def test_a_flow_of_many_mebibytes_is_right_at_its_end() -> None:
    one = message(65_000)
    pieces = [piece for turn in range(300) for piece in ((UP, one[:30_000]), (UP, one[30_000:]), (DOWN, message(3)))]
    streams = streams_of(pieces)
    reader = FlowReader(Counting, streams)
    assert not reader.advance()
    last = streams[UP][-1]
    assert last.offset > 19 * MOST_WAITING // 2
    found = reader.at(UP, last.offset, last.offset + last.length)
    assert [(field.value, field.start, field.end) for field in found.fields] == [("599", -30_000, 35_002)]
    assert reader.summary(streams[DOWN][-1].segment) == "message600"


def test_what_is_asked_again_does_not_begin_at_the_beginning() -> None:
    fed = 0

    class Watched(Counting):
        def feed(self, run: Run) -> Dissection:
            nonlocal fed
            fed += len(run.data)
            return super().feed(run)

    streams = streams_of([(UP, message(1000))] * 5000)
    reader = FlowReader(Watched, streams)
    reader.advance()
    assert fed == 5000 * 1002
    fed = 0
    for chunk in streams[UP][4000:4010]:
        assert reader.at(UP, chunk.offset, chunk.offset + chunk.length).summary == f"message{chunk.segment}"
    assert fed < 10 * 300 * 1002


def test_a_long_message_in_tiny_segments_takes_linear_time() -> None:
    fed = 0

    class Patient:
        def feed(self, run: Run) -> Dissection:
            nonlocal fed
            fed += len(run.data)
            return Dissection((Field("all", 0, len(run.data), "bytes", ""),), taken=0)

    reader = FlowReader(Patient, streams_of([(UP, b"x" * 10), (DOWN, b"y")] * 10_000))
    reader.advance()
    assert fed < 40 * 110_000 + (1 << 20)


def test_more_than_may_wait_is_passed_over_and_said() -> None:
    runs = list[tuple[int, int, int]]()

    class Greedy:
        def feed(self, run: Run) -> Dissection:
            runs.append((run.offset, len(run.data), run.lost))
            return Dissection((), taken=0)

    FlowReader(Greedy, streams_of([(UP, bytes(1 << 19))] * 6)).advance()
    assert max(length for _, length, _ in runs) <= MOST_WAITING + (1 << 19)
    assert runs[-1][0] >= MOST_WAITING
    assert runs[-1][2] == runs[-1][0]


def test_missing_bytes_are_counted_and_what_waits_before_them_ends() -> None:
    streams = streams_of([(UP, message(5)), (UP, message(5)[:4])])
    streams[UP].append(Chunk(20, 7, memoryview(message(5)), 3))
    reader = FlowReader(Counting, streams)
    assert reader.at(UP, 20, 27).summary == "message2"
    lost = list[int]()

    class Lossy(Counting):
        def feed(self, run: Run) -> Dissection:
            lost.append(run.lost)
            return super().feed(run)

    FlowReader(Lossy, streams).advance()
    assert lost == [0, 0, 13]


def test_bytes_that_come_late_before_what_was_read_are_read_in_their_place() -> None:
    streams = streams_of([(UP, message(5)), (UP, message(6)), (UP, message(7))])
    late = streams[UP].pop(1)
    reader = FlowReader(Counting, streams)
    reader.advance()
    streams[UP].insert(1, late._replace(segment=4))
    assert reader.at(UP, late.offset, late.offset + late.length).summary == "message2"


def test_the_oldest_bytes_may_go_once_they_are_read() -> None:
    streams = streams_of([(UP, message(2000))] * 400)
    reader = FlowReader(Counting, streams)
    reader.advance()
    del streams[UP][:200]
    streams[UP].append(Chunk(400 * 2002, 7, memoryview(message(5)), 401))
    assert not reader.advance()
    assert reader.summary(401) == "message401"
    assert reader.at(UP, 390 * 2002, 391 * 2002).summary == "message391"


def test_each_datagram_is_read_alone() -> None:
    found = read_pieces(Counting, [(UP, message(5)[:3]), (UP, message(5)), (DOWN, message(1))], Transport.UDP)
    assert [each.summary for each in found] == ["waiting1", "message1", "message2"]


def test_a_dissector_that_fails_is_given_up_and_says_why() -> None:
    class Failing:
        def feed(self, run: Run) -> Dissection:
            raise ArithmeticError("no")

    class Hoarding:
        def __init__(self) -> None:
            self.seen = list[bytes]()

        def feed(self, run: Run) -> Dissection:
            self.seen.append(bytes(run.data))
            return Dissection(())

    def made() -> FlowDissector:
        raise OSError("not now")

    reader = FlowReader(Failing, streams_of([(UP, b"x")]))
    assert reader.at(UP, 0, 1).problem == "the dissector failed: ArithmeticError: no"
    assert not reader.advance()
    assert FlowReader(made, streams_of([(UP, b"x")])).at(UP, 0, 1).problem == "the dissector failed: OSError: not now"
    reader = FlowReader(Hoarding, streams_of([(UP, bytes(1 << 16))] * 8))
    reader.advance()
    assert reader.problem == "the dissector failed: MemoryError: it remembers more than 256 KiB"


def test_memory_stays_bounded_however_long_the_flow() -> None:
    streams = streams_of([(UP, message(10))] * 12_000)
    tracemalloc.start()
    reader = FlowReader(Counting, streams)
    reader.advance()
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert used < 1 << 20
    assert MOST_CHECKPOINTS < 200


def test_a_stateless_dissector_gets_each_message_whole() -> None:
    def dissect(data: memoryview, direction: Direction, offset: int) -> Dissection:
        return Counting().feed(Run(data, direction, offset))

    found = read_pieces(lambda: Stateless(dissect), [(UP, message(5)[:3]), (UP, message(5)[3:] + b"\0")])
    assert [each.needs for each in found] == [4, 1]
    assert [(field.start, field.end) for field in found[1].fields] == [(-3, 4), (4, 5)]


def test_a_derived_buffer_is_cut_where_it_may_not_grow_further() -> None:
    small, large = Derived("text", bytes(1000), 10), Derived("text", bytes(2 << 20), 1 << 20)
    assert (len(small.data), small.cut) == (640, 360)
    assert (len(large.data), large.cut) == (MOST_DERIVED, 1 << 20)
