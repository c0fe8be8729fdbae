"""What is drawn of a flow, and when: again as it grows, in slices, of another flow at once; and what may fail."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import pytest

from netlab.capture.model import Direction, Segment
from netlab.dissect.decrypted_record import Opened
from netlab.dissect.flow import Protocol
from netlab.dissect.reading.in_memory import MemoryCapture
from netlab.dissect.reading.meanings import Meanings
from netlab.dissect.reading.protocol_discovery import protocol_named
from netlab.dissect.reading.seen_flow import MOST_SEGMENTS, seen_flow
from netlab.topics.contract import Topic
from netlab.topics.topic_protocols import named
from netlab.ui.picture.drawn_flow import DrawnFlow, FlowFacts
from tests.support.seen import DOWN, FIN, OPEN, UP, captured
from tests.support.waiting import PATIENCE

GET = b"GET /spam HTTP/1.1\r\nHost: x\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


def draw(drawn: DrawnFlow, width: int = 80) -> list[str]:
    """Do all that is to be done now; the titles of the pictures."""
    drawn._rest_until = drawn._facts_due = 0.0
    while (job := drawn.next_job(width)) is not None:
        drawn.done(job.run())
        drawn._rest_until = 0.0
    return [picture.title for picture in drawn.pictures]


def following(capture: MemoryCapture, facts: FlowFacts | None = None) -> DrawnFlow:
    drawn = DrawnFlow(lambda flow: facts or FlowFacts())
    drawn.want(capture.flow, capture, Meanings(capture))
    return drawn


def test_it_is_drawn_again_as_it_grows_and_when_a_fact_changes() -> None:
    capture = captured(OPEN, (UP, b"Hello"))
    known: dict[str, object] = {}
    drawn = DrawnFlow(lambda flow: FlowFacts(dict(known)))
    drawn.want(capture.flow, capture, None)
    assert draw(drawn) == ["states of both ends"]
    rows = len(drawn.pictures[0].rows)
    assert drawn.next_job(80) is None, "nothing new"
    capture.add(DOWN, b"Hello")
    draw(drawn)
    assert len(drawn.pictures[0].rows) == rows + 1
    known["recvs"] = (5,)
    draw(drawn)
    assert "became 1 recv" in drawn.pictures[0].note
    narrow = drawn.pictures[0]
    draw(drawn, 120)
    assert drawn.pictures[0] != narrow


def test_another_flow_cancels_what_is_being_read() -> None:
    capture, other = captured(*[(UP, b"x\n")] * 300), captured(OPEN)
    drawn = following(capture)
    job = drawn.next_job(80)
    assert job is not None
    assert drawn.next_job(80) is None, "one job at a time"
    assert drawn.want(other.flow, other, None)
    assert job.cancelled
    assert not drawn.done(job.run())
    assert job.more, "it stopped early"
    assert draw(drawn) == ["states of both ends"]


def test_a_long_flow_is_read_in_slices_with_its_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netlab.ui.picture.drawn_flow._SLICE", 0.0)
    drawn = following(captured(OPEN, *[(UP, b"x\n")] * 500, FIN))
    seen: list[float] = []
    for _ in range(int(PATIENCE * 100)):
        drawn._rest_until = 0.0
        if (job := drawn.next_job(80)) is None:
            break
        drawn.done(job.run())
        seen.append(drawn.progress)
    assert len(seen) > 5
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert drawn.pictures


def test_what_a_tls_flow_carries_is_drawn_too() -> None:
    capture = captured(OPEN, (UP, b"\x17\x03\x03\x00\x20" + bytes(32)), (DOWN, b"\x17\x03\x03\x00\x20" + bytes(32)))
    records = {
        UP: [Opened(0, 37, 5, "application_data", GET)],
        DOWN: [Opened(0, 37, 5, "application_data", OK), Opened(37, 40, 37, "alert", b"\x01\x00", words="close")],
    }
    drawn = following(capture, FlowFacts(begin=lambda: lambda: {"records": records}))
    titles = draw(drawn)
    assert titles[-1] == "states of both ends"
    (inner,) = [picture for picture in drawn.pictures if picture.title.endswith(", decrypted")]
    assert "HTTP" in inner.title
    assert inner.rows[0].segment == 2


@pytest.mark.parametrize("where", ["draw", "begin"])
def test_what_fails_is_said(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    def fails(*_: object) -> object:
        raise ValueError("no\x1b")

    text = protocol_named("text")
    assert text is not None
    broken: Protocol = replace(text, name="broken", draw=fails)
    capture = captured(OPEN, (UP, b"Hello"))
    facts = FlowFacts(begin=lambda: fails) if where == "begin" else FlowFacts()
    drawn = DrawnFlow(lambda flow: facts)
    drawn.want(capture.flow, capture, Meanings(capture, always=broken))
    draw(drawn)
    assert drawn.pictures[0].note == "It could not be drawn: ValueError: no\x1b"


def test_a_topic_whose_picture_does_not_load_has_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(topic: object) -> object:
        raise ImportError("no module")

    monkeypatch.setattr(Topic, "picture", fails)
    protocol = named("tcp")
    assert protocol is not None
    capture = captured(OPEN, (UP, b"Hello"))
    drawn = DrawnFlow()
    drawn.want(capture.flow, capture, Meanings(capture, always=protocol))
    assert draw(drawn) == ["picture", "states of both ends"]
    assert drawn.pictures[0].note == "It could not be drawn: ImportError: no module"


def test_looking_at_a_large_flow_copies_nothing() -> None:
    piece, whole = 1 << 18, memoryview(bytes(256 << 20))
    capture = MemoryCapture()
    made = [capture.add(UP, whole[at : at + piece]) for at in range(0, len(whole), piece)]
    assert len(made) < MOST_SEGMENTS
    tracemalloc.start()
    try:
        drawn = following(capture)
        titles = draw(drawn)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert titles == ["states of both ends"]
    assert peak < 16 << 20


def test_a_capture_that_lets_go_is_drawn_of_what_is_left() -> None:
    capture = captured(OPEN, *[(way, b"x\n") for _ in range(9) for way in Direction])
    kept: list[Segment] = capture.segments
    text = protocol_named("text")
    assert text is not None
    capture.numbers = lambda flow, after=0: range(max(after, 6) + 1, len(kept) + 1)  # the first six are gone
    assert seen_flow(capture, capture.flow, text.make).segments[0].number == 7
