"""Messages that each show where they end: many of them at once, and bytes that are missing between them."""

from __future__ import annotations

from netlab.capture.model import Direction
from netlab.dissect.flow import Run
from netlab.dissect.framed.framed_flow import MOST_LISTED
from netlab.dissect.reading.protocol_discovery import protocol_named

UP, DOWN = Direction.TO_SERVER, Direction.TO_CLIENT


def flow(name: str):
    protocol = protocol_named(name)
    assert protocol is not None
    return protocol.make()


def test_more_messages_than_are_listed_are_read_and_counted() -> None:
    found = flow("redis").feed(Run(memoryview(b":1\r\n" * 5000), DOWN))
    assert len(found.fields) == MOST_LISTED
    assert found.fields[-1].value == "3,001 messages"
    assert (found.fields[-1].start, found.fields[-1].end) == (4 * (MOST_LISTED - 1), 20_000)
    assert found.summary == "1 · 1 · 1 · 4,997 more"
    assert found.done(20_000) == 20_000


def test_missing_bytes_within_a_message_that_is_passed_by_do_no_harm() -> None:
    reader = flow("redis")
    reader.feed(Run(memoryview(b"$1000000\r\nabc"), DOWN))
    found = reader.feed(Run(memoryview(b"d" * 100), DOWN, 500_013, 500_000))
    assert found.summary == "part of a bulk string: 100 bytes, 499,899 more follow"
    assert reader.feed(Run(memoryview(b"d" * 499_897 + b"\r\n:7\r\n"), DOWN, 500_113)).summary.endswith("the last · 7")


def test_after_missing_bytes_the_next_message_that_is_one_is_read() -> None:
    reader = flow("postgresql")
    lost = reader.feed(Run(memoryview(b"\0\0\1spam"), DOWN, 300, 200))
    assert lost.problem == "these bytes lie within a message whose beginning is missing"
    assert reader.feed(Run(memoryview(b"C\0\0\0\x0bCOPY 1\0"), DOWN, 307)).summary == "COPY 1"
