"""What has been seen of a flow: its messages, whole and waiting, within bounds, as it grows."""

from __future__ import annotations

import pytest

from netlab.capture.model import Direction, Kind, Transport
from netlab.capture.stream import Chunk
from netlab.dissect.fields import Dissection, Field
from netlab.dissect.flow import Run, stateless
from netlab.dissect.reading import seen_flow as module
from netlab.dissect.reading.protocol_discovery import protocol_named
from netlab.dissect.reading.seen_flow import SeenSoFar, seen_flow
from netlab.topics.topic_protocols import named
from tests.support.seen import DOWN, FIN, OPEN, UP, captured, dropped, flow_of

GET = b"GET /spam HTTP/1.1\r\nHost: x\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


def http() -> object:
    found = protocol_named("http")
    assert found is not None
    return found.make()


def test_messages_with_their_segments_and_times() -> None:
    seen = flow_of("http", OPEN, (UP, GET[:9]), (UP, GET[9:] + GET), (DOWN, OK[:-1]), (DOWN, OK[-1:]), FIN)
    assert [(each.direction, each.field.name, each.start, each.first, each.last) for each in seen.messages] == [
        (UP, "request", 0, 2, 3),
        (UP, "request", len(GET), 3, 3),
        (DOWN, "response", 0, 4, 5),
    ]
    assert [bytes(each.data) for each in seen.messages] == [GET, GET, OK]
    second = seen.messages[1]
    assert (second.field.start, second.field.end) == (0, len(GET))
    assert (second.began_ns, second.ended_ns) == (seen.segments[2].time_ns,) * 2
    assert seen.messages[0].ended_ns - seen.messages[0].began_ns == 1_000_000
    assert [segment.kind for segment in seen.segments] == [Kind.OPEN, *[Kind.DATA] * 4, Kind.FIN]
    assert seen.messages[2].summary == "200 OK · 2 bytes"
    assert not seen.left_out
    assert not seen.unfinished


def test_what_waits_for_more_is_unfinished() -> None:
    seen = flow_of("http", (UP, GET), (DOWN, OK[:-1]))
    assert [each.field.name for each in seen.messages] == ["request"]
    (waiting,) = seen.unfinished
    assert (waiting.field.name, bytes(waiting.data), waiting.first, waiting.last) == ("response", OK[:-1], 2, 2)


def test_a_message_in_one_segment_is_not_copied() -> None:
    sent = GET * 3
    seen = flow_of("http", (UP, sent))
    assert [each.data.obj is sent for each in seen.messages] == [True] * 3


def test_it_goes_on_where_it_stopped() -> None:
    capture = captured(OPEN, (UP, GET), (DOWN, OK[:9]))
    fed: list[int] = []

    class Counting:
        def __init__(self) -> None:
            self.flow = http()

        def feed(self, run: Run) -> Dissection:
            fed.append(len(run.data))
            return self.flow.feed(run)

    so_far = SeenSoFar(capture, capture.flow, Counting)
    assert so_far.follow()
    assert not so_far.read_on()
    assert not so_far.follow()
    capture.add(DOWN, OK[9:])
    assert so_far.follow()
    assert not so_far.read_on()
    assert [each.field.name for each in so_far.seen().messages] == ["request", "response"]
    assert fed == [len(GET), 9, len(OK)]
    assert so_far.progress == (len(GET + OK),) * 2


def test_it_stops_when_it_is_to_stop() -> None:
    capture = captured(*[(UP, b"line\n")] * 500)
    so_far = SeenSoFar(capture, capture.flow, protocol_named("text").make)
    so_far.follow()
    turns = 1
    while so_far.read_on(lambda: False):
        turns += 1
    assert turns > 10
    assert len(so_far.seen().messages) == 500


def test_bounds_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_MESSAGES", 200)
    many = flow_of("http", *[(UP, GET * 10)] * 25)
    assert len(many.messages) == 200
    assert many.left_out == "The first 200 messages are read."
    monkeypatch.setattr(module, "MOST_FIELDS", 2000)
    wide = stateless(lambda data, way, at: Dissection((Field("m", 0, len(data), "m", "", _children(len(data))),)))
    capture = captured(*[(UP, bytes(100))] * 100)
    assert len(seen_flow(capture, capture.flow, wide).messages) == 2000 // 101 + 1
    monkeypatch.setattr(module, "MOST_KEPT", 1000)
    joined = flow_of("http", *[(UP, piece) for piece in (GET[:9], GET[9:]) * 100])
    assert len(joined.messages) == 1000 // len(GET) + 1


def _children(count: int) -> tuple[Field, ...]:
    return tuple(Field("c", at, at + 1, "u8", "") for at in range(count))


def test_of_a_long_flow_the_end_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_SEGMENTS", 3)
    seen = flow_of("text", OPEN, *[(UP, b"x\n")] * 5, FIN)
    assert [segment.number for segment in seen.segments] == [1, 2, 3, 7]
    assert seen.left_out == "The first 3 of 7 segments are shown."


def test_a_dissector_that_fails_leaves_the_segments() -> None:
    class Failing:
        def feed(self, run: Run) -> Dissection:
            raise ValueError("no")

    capture = captured((UP, b"x"), (DOWN, b"y"))
    seen = seen_flow(capture, capture.flow, Failing)
    assert seen.left_out == "The dissector failed: ValueError: no."
    assert len(seen.segments) == 2


def test_bytes_that_came_late_are_read_in_their_place() -> None:
    capture = captured((UP, b"one\n"), (UP, b"two\n"))
    chunks = capture.stream(capture.flow, UP)
    so_far = SeenSoFar(capture, capture.flow, protocol_named("text").make)
    moved = [chunks[0]._replace(offset=0), chunks[1]._replace(offset=8)]
    streams = {UP: moved, DOWN: []}
    capture.stream = lambda flow, way: streams[way]
    so_far.follow()
    so_far.read_on()
    streams[UP] = [moved[0], Chunk(4, 4, memoryview(b"mid\n"), 3), moved[1]]
    so_far.follow()
    so_far.read_on()
    assert [bytes(each.data) for each in so_far.seen().messages] == [b"one\n", b"mid\n", b"two\n"]


def test_a_datagram_is_one_message() -> None:
    seen = flow_of("udp", (UP, b"time 7"), (DOWN, b"7 Mon Nov 17 12:00:00 2025"), transport=Transport.UDP)
    assert [(each.field.name, each.summary) for each in seen.messages] == [
        ("datagram", "request 7"),
        ("datagram", "answer 7: Mon Nov 17 12:00:00 2025"),
    ]
    assert [child.name for child in seen.messages[0].field.children] == ["word", "request"]


def test_dropped_datagrams_are_no_messages_but_read_as_lost() -> None:
    seen = flow_of("udp", dropped(UP, b"time 1"), (UP, b"time 1"), transport=Transport.UDP)
    assert [segment.number for segment in seen.segments] == [1, 2]
    assert [each.first for each in seen.messages] == [2]
    assert [(each.first, each.summary) for each in seen.lost] == [(1, "request 1")]


def test_topics_are_read_as_flows() -> None:
    assert named("tcp") is not None
    seen = flow_of("tcp", (UP, b"Hello\n"), (DOWN, b"Hello\n"))
    assert [each.direction for each in seen.messages] == list(Direction)
