"""The engine with a scripted clock: what faults ask is done, in order, in time, and the same each time."""

import math
from collections.abc import Callable, Iterable, Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlab.capture.model import Direction, Transport
from netlab.wire.faults.noop import noop
from netlab.wire.impairment.fault import Fault, Impairment, Passing
from netlab.wire.impairment.impairment_lane import ImpairmentLane, Leaving
from netlab.wire.impairment.intercept import PIECE
from netlab.wire.impairment.requests import Close, Drop, Forward, Hold, Request, Reset

TO_SERVER, TO_CLIENT = Direction.TO_SERVER, Direction.TO_CLIENT
TCP, UDP = Transport.TCP, Transport.UDP


def lane(*faults: Fault, transport: Transport = TCP, seed: int = 0, flow: int = 1) -> ImpairmentLane:
    chain = [Impairment("test", None, lambda fault=fault: fault) for fault in faults]
    return ImpairmentLane(chain, transport, TO_SERVER, flow, seed)


def always(*requests: Callable[[memoryview], Request]) -> Fault:
    """A fault that answers every segment with the same requests."""

    def fault(segment: Passing, clock: float, random: Random) -> Iterable[Request]:
        return [request(segment.payload) for request in requests]

    return fault


def hold(seconds: float, behind: int = 0) -> Fault:
    return always(lambda payload: Hold(payload, seconds, f"held {seconds:g} s", behind=behind))


def left(lane: ImpairmentLane, clock: float) -> list[object]:
    """What leaves by now: the bytes, or what else it is."""
    return [bytes(each.payload) if each.what is Leaving.BYTES else each.what.value for each in lane.leave(clock)]


def test_the_noop_passes_everything_on_at_once() -> None:
    clean = lane(noop)
    clean.enter(b"Hello", 1.0)
    clean.finish(1.0)
    assert left(clean, 1.0) == [b"Hello", "fin"]
    assert clean.empty and clean.held == 0 and clean.next_release == math.inf


def test_what_is_held_leaves_in_time() -> None:
    slow = lane(hold(0.5))
    slow.enter(b"one", 1.0)
    slow.enter(b"two", 1.2)
    assert (left(slow, 1.49), slow.held, slow.next_release) == ([], 6 + 2 * PIECE, 1.5)
    assert left(slow, 1.5) == [b"one"]
    assert left(slow, 9.0) == [b"two"]
    assert slow.held == 0


def test_a_stream_keeps_its_order_and_its_end_comes_last() -> None:
    def first_slow(segment: Passing, clock: float, random: Random) -> Iterable[Request]:
        return [Hold(segment.payload, 5.0 if segment.index == 0 else 0.1)]

    ordered = lane(first_slow)
    ordered.enter(b"slow", 0.0)
    ordered.enter(b"quick", 1.0)
    ordered.finish(1.0)
    assert left(ordered, 4.9) == []
    assert left(ordered, 5.0) == [b"slow", b"quick", "fin"]


def test_datagrams_overtake() -> None:
    def first_slow(segment: Passing, clock: float, random: Random) -> Iterable[Request]:
        return [Hold(segment.payload, 5.0 if segment.index == 0 else 0.1)]

    overtaking = lane(first_slow, transport=UDP)
    overtaking.enter(b"slow", 0.0)
    overtaking.enter(b"quick", 1.0)
    assert left(overtaking, 2.0) == [b"quick"]
    assert left(overtaking, 5.0) == [b"slow"]


def test_a_datagram_held_behind_others_leaves_after_them_or_in_time() -> None:
    def first(segment: Passing, clock: float, random: Random) -> Iterable[Request]:
        return [Hold(segment.payload, 9.0, behind=2)] if segment.index == 0 else [Forward(segment.payload)]

    overtaken = lane(first, transport=UDP)
    overtaken.enter(b"0", 0.0)
    for number in (b"1", b"2", b"3"):
        overtaken.enter(number, 1.0)
    assert left(overtaken, 1.0) == [b"1", b"2", b"0", b"3"]
    alone = lane(first, transport=UDP)
    alone.enter(b"0", 0.0)
    assert (left(alone, 8.9), left(alone, 9.0)) == ([], [b"0"])


def test_dropped_bytes_are_told_and_pass_the_faults_behind() -> None:
    shown: list[bytes] = []

    def watch(segment: Passing, clock: float, random: Random) -> Iterable[Request]:
        shown.append(bytes(segment.payload))
        return [Forward(segment.payload)]

    losing = lane(always(lambda payload: Drop("lost")), watch)
    losing.enter(b"gone", 0.0)
    (departure,) = losing.leave(0.0)
    assert (departure.what, bytes(departure.payload), departure.fate) == (Leaving.DROPPED, b"gone", "lost")
    assert not shown


@pytest.mark.parametrize(("request_", "word"), [(Close("cut"), "close"), (Reset("broken"), "reset")])
def test_an_end_comes_after_what_was_passed_on_and_nothing_after_it(request_: Request, word: str) -> None:
    ending = lane(always(lambda payload: Hold(payload[:2], 1.0), lambda payload: request_), hold(1.0))
    ending.enter(b"Hello", 0.0)
    ending.enter(b"more", 0.0)
    ending.finish(0.0)
    assert left(ending, 1.9) == []
    assert left(ending, 2.0) == [b"He", word]
    assert ending.empty


def test_faults_act_one_after_the_other() -> None:
    clocks: list[float] = []

    def in_two(segment: Passing, clock: float, random: Random) -> Iterable[Request]:
        clocks.append(clock)
        return [Forward(segment.payload[:1], "first half"), Forward(segment.payload[1:], "second half")]

    both = lane(hold(2.0), in_two, hold(0.5))
    both.enter(b"ab", 10.0)
    departures = both.leave(12.5)
    assert clocks == [12.0], "a fault sees the time at which the segment comes to it"
    assert [bytes(each.payload) for each in departures] == [b"a", b"b"]
    assert departures[0].fate == "held 2 s, first half, held 0.5 s"


def test_a_fault_is_told_where_in_the_stream_it_is() -> None:
    seen: list[tuple[int, int, int, Direction]] = []

    def watch(segment: Passing, clock: float, random: Random) -> Iterable[Request]:
        seen.append((segment.index, segment.offset, segment.flow, segment.direction))
        return [Forward(segment.payload)]

    watching = lane(watch, flow=3)
    for payload in (b"abc", b"de", b"f"):
        watching.enter(payload, 0.0)
    assert seen == [(0, 0, 3, TO_SERVER), (1, 3, 3, TO_SERVER), (2, 5, 3, TO_SERVER)]


def test_the_end_of_a_stream_is_held_like_its_bytes() -> None:
    slow = lane(hold(0.5), noop, hold(0.25))
    slow.finish(1.0)
    assert (left(slow, 1.7), left(slow, 1.75)) == ([], ["fin"])
    stalled = lane(hold(math.inf), hold(0.25))
    stalled.finish(1.0)
    assert (left(stalled, 1e9), stalled.empty) == ([], False)


def test_an_impairment_acts_on_its_direction_alone() -> None:
    there = [Impairment("delay 1s", TO_SERVER, lambda: hold(1.0))]
    back = ImpairmentLane(there, TCP, TO_CLIENT, 1)
    back.enter(b"x", 0.0)
    assert left(back, 0.0) == [b"x"]
    assert str(there[0]) == "delay 1s →"


def test_what_was_changed_keeps_what_it_was() -> None:
    def shout(segment: Passing, clock: float, random: Random) -> Iterable[Request]:
        return [Forward(memoryview(bytes(segment.payload).upper()), "shouted", segment.payload)]

    changing = lane(shout, hold(0.0), shout)
    changing.enter(b"Hello", 0.0)
    (departure,) = changing.leave(0.0)
    assert (bytes(departure.payload), departure.original) == (b"HELLO", b"Hello")


def test_a_hold_without_end_leaves_once_the_faults_are_gone() -> None:
    stalled = lane(hold(math.inf), hold(1.0))
    stalled.enter(b"one", 0.0)
    stalled.enter(b"two", 0.0)
    stalled.finish(0.0)
    assert (left(stalled, 1e9), stalled.next_release) == ([], math.inf)
    stalled.release()
    assert left(stalled, 0.0) == [b"one", b"two", "fin"]


def test_released_datagrams_leave_in_the_order_in_which_they_came() -> None:
    held = lane(hold(9.0, behind=2), transport=UDP)
    for number in (b"0", b"1", b"2"):
        held.enter(number, 0.0)
    held.release()
    assert left(held, 0.0) == [b"0", b"1", b"2"]
    assert held.empty


def run(seed: int, flow: int) -> list[float]:
    drawn: list[float] = []

    def draw(segment: Passing, clock: float, random: Random) -> Iterable[Request]:
        drawn.append(random.random())
        return [Forward(segment.payload)]

    drawing = lane(draw, draw, seed=seed, flow=flow)
    for _ in range(5):
        drawing.enter(b"x", 0.0)
    return drawn


def test_a_seed_repeats_a_run_and_flows_and_faults_have_their_own_chances() -> None:
    assert run(1, 1) == run(1, 1)
    assert run(1, 1) != run(2, 1) != run(2, 2)
    assert len(set(run(1, 1))) == 10


@given(st.lists(st.tuples(st.binary(max_size=9), st.floats(0, 5), st.floats(0, 5)), max_size=30))
def test_whatever_is_held_a_stream_comes_out_as_it_went_in(script: Sequence[tuple[bytes, float, float]]) -> None:
    holds = iter([seconds for _, _, seconds in script])
    both = lane(lambda segment, clock, random: [Hold(segment.payload, next(holds))], hold(0.3))
    clock, out = 0.0, b""
    for payload, wait, _ in script:
        clock += wait
        both.enter(payload, clock)
        out += b"".join(bytes(each.payload) for each in both.leave(clock))
    out += b"".join(bytes(each.payload) for each in both.leave(clock + 100))
    assert out == b"".join(payload for payload, _, _ in script)
    assert both.empty and both.held == 0


@given(st.lists(st.tuples(st.integers(0, 4), st.floats(0, 5)), max_size=30))
def test_no_datagram_is_lost_by_waiting(script: Sequence[tuple[int, float]]) -> None:
    def fault(segment: Passing, clock: float, random: Random) -> Iterable[Request]:
        behind, seconds = script[segment.index]
        return [Hold(segment.payload, seconds, behind=behind)]

    waiting = lane(fault, transport=UDP)
    out: list[bytes] = []
    for number in range(len(script)):
        waiting.enter(b"%d" % number, number / 10)
        out += [bytes(each.payload) for each in waiting.leave(number / 10)]
    out += [bytes(each.payload) for each in waiting.leave(1000.0)]
    assert sorted(out) == sorted(b"%d" % number for number in range(len(script)))
    assert waiting.empty and waiting.next_release == math.inf
