"""Held segments and replays on running labs: what a person does with them, and what three servers make of a replay."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from netlab.capture.model import Direction, Kind, Segment
from netlab.lab import Lab
from netlab.lab.errors import LabError
from netlab.lab.state import HeldSegment
from tests.support.waiting import wait_until

OUT, BACK = Direction.TO_SERVER, Direction.TO_CLIENT


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab("tcp", model="threading") as lab:
        yield lab


def held(lab: Lab) -> HeldSegment:
    (segment,) = wait_until(lambda: lab.wire.held)
    return segment


def payloads(lab: Lab, way: Direction) -> list[tuple[bytes, str]]:
    return [(bytes(s.data), s.fate) for s in lab.capture.segments if s.kind is Kind.DATA and s.direction is way]


def test_a_segment_is_held_edited_and_released(lab: Lab) -> None:
    client = lab.connect()
    lab.wire.intercept("-> 'Hello'")
    assert lab.state.intercept == "-> 'Hello'"
    client.submit("Hello")
    waiting = held(lab)
    assert (waiting.client, waiting.direction, waiting.payload) == (client.local, OUT, b"Hello")
    big = b"x" * 100_000  # more than a request can have
    lab.wire.edit(waiting.number, big)
    assert (held(lab).payload, held(lab).edited) == (big, True)
    lab.wire.release(waiting.number)
    client.wait_idle()
    assert lab.wire.held == ()
    wait_until(lambda: lab.state.accounts.to_client == len(big))
    (first, *_) = [s for s in lab.capture.segments if s.direction is OUT and s.kind is Kind.DATA]
    assert first.original == b"Hello" and first.fate.endswith("edited")


def test_a_dropped_segment_never_arrives(lab: Lab) -> None:
    client = lab.connect()
    lab.wire.intercept("'no'")
    client.send(b"no")
    lab.wire.drop(held(lab).number)
    lab.wire.intercept()
    client.send(b"yes")
    assert client.recv(8192) == b"yes"
    with pytest.raises(LabError, match="is not held"):
        lab.wire.release(1)


def test_a_wrong_filter_says_what_is_wrong(lab: Lab) -> None:
    with pytest.raises(LabError, match="quotation mark is not closed"):
        lab.wire.intercept('"Hello')
    with pytest.raises(LabError, match="Hello is not understood; to look for the text, write"):
        lab.wire.intercept("-> Hello")
    assert lab.state.intercept == ""
    assert lab.command(":intercept flow 1") == "holding segments that match flow 1"
    assert lab.command(":intercept") == "holding no more segments"


def test_the_console_lets_go(lab: Lab) -> None:
    client = lab.connect()
    lab.command(":intercept -> data")
    client.submit("Hello")
    held(lab)
    lab.command(":release")
    wait_until(lambda: not lab.wire.held)
    with pytest.raises(LabError, match="not the number"):
        lab.command(":release x")


def test_a_lab_with_held_segments_stops_as_fast_as_one_without() -> None:
    with Lab("tcp", model="threading") as lab:
        lab.wire.intercept("data")
        for _ in range(3):
            lab.connect().submit("Hello")
        wait_until(lambda: len(lab.wire.held) == 3)
        began = time.monotonic()
    assert time.monotonic() - began < 2


def test_what_is_replayed_in_its_own_flow_answers_to_its_client(lab: Lab) -> None:
    client = lab.connect()
    client.send(b"Hello")
    assert client.recv(8192) == b"Hello"
    assert client.local is not None
    lab.wire.replay(b"Hello", client.local)
    assert client.recv(8192) == b"Hello"
    assert payloads(lab, OUT) == [(b"Hello", ""), (b"Hello", "replayed")]
    where = client.local
    client.close()
    wait_until(lambda: lab.flows[0].closed)
    with pytest.raises(LabError, match="not open"):
        lab.wire.replay(b"Hello", where)


# The three lessons of a replay


def recorded(lab: Lab) -> Segment:
    """What the first client sent first."""
    return next(s for s in lab.capture.segments if s.kind is Kind.DATA and s.direction is OUT)


def test_replayed_to_udp_answers_again_for_nothing_says_that_it_is_old() -> None:
    with Lab("udp") as lab:
        lab.connect().ask()
        outcome = lab.wire.replay_in_new_flow(bytes(recorded(lab).data))
        assert outcome.answer.startswith(b"1 ") and not outcome.ended
        assert [len(each) > 0 for each, _ in payloads(lab, BACK)] == [True, True]
        assert lab.capture.flows[-1].client == outcome.client


def test_replayed_to_http_a_get_answers_again_as_it_should() -> None:
    with Lab("wsgi") as lab:
        lab.connect().get("/hello?name=Ann")
        outcome = lab.wire.replay_in_new_flow(bytes(recorded(lab).data))
        assert b" 200 " in outcome.answer.split(b"\r\n")[0] and b"Ann" in outcome.answer
        answers = [each for each, _ in payloads(lab, BACK) if each.startswith(b"HTTP/")]
        assert len(answers) == 2


def test_replayed_to_hmac_a_digest_is_refused_for_the_challenge_is_another() -> None:
    with Lab("hmac") as lab:
        with lab.connect() as client:
            client.send(b"Hello")
            assert client.recv(8192) == b"Hello"
        outcome = lab.wire.replay_in_new_flow(bytes(recorded(lab).data))
        assert outcome.ended and len(outcome.answer) == 32
        challenges = [each for each, _ in payloads(lab, BACK) if len(each) == 32]
        assert len(challenges) == 2 and challenges[0] != challenges[1]
        wait_until(lambda: any("refused" in line.text or "dropped" in line.text for line in lab.log))
        assert "closed the connection" in str(outcome)


def test_a_replay_to_nobody_says_so() -> None:
    with Lab("tcp") as lab:
        lab.stop()
        with pytest.raises(LabError, match="could not be replayed"):
            lab.wire.replay_in_new_flow(b"Hello")


def test_letting_all_go_ends_the_holding(lab: Lab) -> None:
    client = lab.connect()
    lab.wire.intercept("data")
    client.submit("Hello")
    held(lab)
    lab.wire.release_all()
    client.wait_idle()
    assert (lab.wire.held, lab.state.intercept) == ((), "")
