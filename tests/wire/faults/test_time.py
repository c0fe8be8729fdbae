"""When things leave, for every fault: a scripted clock, several messages, both directions, several flows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netlab.capture.model import Direction, Transport
from netlab.wire.faults.slice import GAP, LONGEST
from netlab.wire.impairment import catalog
from netlab.wire.impairment.impairment_lane import Departure, ImpairmentLane, Leaving

TCP, UDP = Transport.TCP, Transport.UDP
FLOWS = (1, 2, 3)
WAYS = [(flow, direction) for flow in FLOWS for direction in Direction]
Way = tuple[int, Direction]
A_LITTLE = 1e-9
PAST_EVERYTHING = 10_000.0


@dataclass(frozen=True)
class Sent:
    """A message that came to the wire: when, which way, and how many bytes."""

    at: float
    way: Way
    payload: bytes


Left = tuple[float, Departure]
Check = Callable[[Sequence[Sent], Sequence[Left]], None]

MESSAGES = st.lists(
    st.builds(Sent, st.integers(0, 4000).map(lambda ms: ms / 1000), st.sampled_from(WAYS),
              st.binary(min_size=1, max_size=40)),
    max_size=25,
).map(lambda sent: sorted(sent, key=lambda each: each.at))  # fmt: skip


class Clockwork:
    """Lanes for each way of each flow under one chain of faults, and what left them."""

    def __init__(self, *specs: str, transport: Transport = TCP, seed: int = 0) -> None:
        self.chain = catalog.chain(specs, transport)
        self.lanes = {
            (flow, direction): ImpairmentLane(self.chain, transport, direction, flow, seed) for flow, direction in WAYS
        }
        self.left: dict[Way, list[Left]] = defaultdict(list)

    def until(self, clock: float) -> None:
        """Let everything leave that is due by then, each at its own time."""
        for way, lane in self.lanes.items():
            while (at := lane.next_release) <= clock:
                self.left[way] += [(at, departure) for departure in lane.leave(at)]

    def play(self, messages: Sequence[Sent], ends_at: float = 5.0) -> dict[Way, list[Left]]:
        """Send them all, and then the end of each way."""
        for sent in messages:
            self.until(sent.at)
            lane = self.lanes[sent.way]
            lane.enter(sent.payload, sent.at)
            self.left[sent.way] += [(sent.at, departure) for departure in lane.leave(sent.at)]
        self.until(ends_at)
        for lane in self.lanes.values():
            if lane.transport is TCP:
                lane.finish(ends_at)
        self.until(PAST_EVERYTHING)
        return self.left


def of(way: Way, messages: Sequence[Sent]) -> list[Sent]:
    return [each for each in messages if each.way == way]


def arrivals(sent: Sequence[Sent], left: Sequence[Left]) -> list[tuple[float, float]]:
    """For each byte of a stream: when it came and when it left."""
    came = [each.at for each in sent for _ in each.payload]
    gone = [at for at, departure in left if departure.what is Leaving.BYTES for _ in departure.payload]
    assert len(came) == len(gone)
    return list(zip(came, gone, strict=True))


def held_for(least: float, most: float) -> Check:
    """Each byte is held so long; on a stream perhaps until what is before it has left."""

    def check(sent: Sequence[Sent], left: Sequence[Left]) -> None:
        before = 0.0
        for came, gone in arrivals(sent, left):
            assert came + least - A_LITTLE <= gone <= max(before, came + most) + A_LITTLE
            before = gone

    return check


def one_pause(time: float, passed: int) -> Check:
    """The first byte after so many begins the pause; whatever comes in it leaves at its end, all else at once."""

    def check(sent: Sequence[Sent], left: Sequence[Left]) -> None:
        bytes_ = arrivals(sent, left)
        begins = bytes_[passed][0] if len(bytes_) > passed else PAST_EVERYTHING
        for place, (came, gone) in enumerate(bytes_):
            waits = place >= passed and came < begins + time
            assert gone == pytest.approx(begins + time if waits else came)

    return check


def rate(a_second: float, at_once: float) -> Check:
    """A token bucket: never more in any stretch of time, and never slower than the rate."""

    def check(sent: Sequence[Sent], left: Sequence[Left]) -> None:
        gone = [at for _, at in arrivals(sent, left)]
        for first, start in enumerate(gone):
            for last, end in enumerate(gone[first:], first):
                assert last - first + 1 <= at_once + a_second * (end - start) + at_once + 1e-6
        came = [each.at for each in sent for _ in each.payload]
        due = 0.0
        for arrived, at in zip(came, gone, strict=True):
            due = max(due, arrived) + 1 / a_second
            assert at <= due + at_once / a_second + 1e-6

    return check


def pieces(length: int) -> Check:
    """No piece is longer, each leaves by itself, and nothing is late for it."""

    def check(sent: Sequence[Sent], left: Sequence[Left]) -> None:
        assert all(len(departure.payload) <= length for _, departure in left)
        assert all(gone <= came + LONGEST + A_LITTLE for came, gone in arrivals(sent, left))
        late = any(gone > came + LONGEST - 0.1 for came, gone in arrivals(sent, left))
        times = [at for at, departure in left if departure.what is Leaving.BYTES]
        assert late or all(after - before >= GAP - A_LITTLE for before, after in pairwise(times) if len(times) > 1)

    return check


def ends_after(passed: int, what: Leaving) -> Check:
    """So many bytes leave as they come, and at the first one too many the end."""

    def check(sent: Sequence[Sent], left: Sequence[Left]) -> None:
        came = [each.at for each in sent for _ in each.payload]
        gone = [at for at, departure in left if departure.what is Leaving.BYTES for _ in departure.payload]
        assert gone == came[:passed]
        ends = [at for at, departure in left if departure.what is what]
        assert ends == came[passed : passed + 1]

    return check


ON_STREAMS: dict[str, Check] = {
    "delay 100ms": held_for(0.1, 0.1),
    "delay 100ms±30ms": held_for(0.07, 0.13),
    "jitter 50ms": held_for(0.0, 0.05),
    "throttle 100/s": rate(100, 5),
    "slice 3": pieces(3),
    "slice 1": pieces(1),
    "corrupt": held_for(0.0, 0.0),
    "stall 1s": one_pause(1.0, 0),
    "stall 700ms after 20": one_pause(0.7, 20),
    "cut after 30": ends_after(30, Leaving.CLOSE),
    "reset after 30": ends_after(30, Leaving.RESET),
}


@pytest.mark.parametrize("spec", ON_STREAMS)
@settings(max_examples=60, deadline=None)
@given(messages=MESSAGES, seed=st.integers(0, 3))
def test_every_byte_of_a_stream_leaves_when_the_faults_name_says(spec: str, messages: list[Sent], seed: int) -> None:
    left = Clockwork(spec, seed=seed).play(messages)
    for way in WAYS:
        ON_STREAMS[spec](of(way, messages), left[way])


@settings(max_examples=60, deadline=None)
@given(messages=MESSAGES)
def test_a_stall_without_a_time_lets_nothing_leave_until_it_is_cleared(messages: list[Sent]) -> None:
    wire = Clockwork("stall")
    assert not any(wire.play(messages).values())
    for way, lane in wire.lanes.items():
        lane.release()
        out = b"".join(bytes(each.payload) for each in lane.leave(PAST_EVERYTHING))
        assert out == b"".join(each.payload for each in of(way, messages))


@pytest.mark.parametrize("spec", [spec for spec in ON_STREAMS if not spec.startswith(("cut", "reset"))])
@settings(max_examples=40, deadline=None)
@given(messages=MESSAGES, ends_at=st.integers(4000, 5000).map(lambda ms: ms / 1000))
def test_the_end_of_a_stream_leaves_last_and_is_held_no_longer_than_a_byte(
    spec: str, messages: list[Sent], ends_at: float
) -> None:
    left = Clockwork(spec).play(messages, ends_at)
    for way in WAYS:
        at, last = left[way][-1]
        assert last.what is Leaving.FIN
        assert at >= ends_at and at <= max([ends_at, *(at for at, _ in left[way][:-1])]) + 1.0 + A_LITTLE


ON_DATAGRAMS: dict[str, tuple[float, float, int]] = {
    "delay 100ms": (0.1, 0.1, 1),
    "delay 100ms±30ms": (0.07, 0.13, 1),
    "jitter 50ms": (0.0, 0.05, 1),
    "loss": (0.0, 0.0, 1),
    "duplicate": (0.0, 0.0, 2),
    "corrupt bit 0 byte 0": (0.0, 0.0, 1),
}
"""How long each is held at least and at most, and how often it leaves (or is told as dropped)."""


@pytest.mark.parametrize("spec", ON_DATAGRAMS)
@settings(max_examples=60, deadline=None)
@given(messages=MESSAGES)
def test_every_datagram_leaves_when_the_faults_name_says(spec: str, messages: list[Sent]) -> None:
    numbered = [Sent(each.at, each.way, b"#%d" % number) for number, each in enumerate(messages)]
    left = Clockwork(spec, transport=UDP).play(numbered)
    least, most, times = ON_DATAGRAMS[spec]
    for way in WAYS:
        gone: dict[bytes, list[float]] = defaultdict(list)
        for at, departure in left[way]:
            gone[bytes(departure.payload if departure.original is None else departure.original)].append(at)
        for sent in of(way, numbered):
            assert len(gone[sent.payload]) == times
            assert all(sent.at + least - A_LITTLE <= at <= sent.at + most + A_LITTLE for at in gone[sent.payload])


@settings(max_examples=60, deadline=None)
@given(messages=MESSAGES, time=st.integers(1, 2000).map(lambda ms: ms / 1000))
def test_datagrams_that_come_in_a_pause_leave_at_its_end(messages: list[Sent], time: float) -> None:
    left = Clockwork(f"stall {time * 1000:.0f}ms", transport=UDP).play(messages)
    for way in WAYS:
        one_pause(time, 0)(of(way, messages), left[way])


@settings(max_examples=60, deadline=None)
@given(messages=MESSAGES)
def test_throttled_datagrams_keep_the_rate(messages: list[Sent]) -> None:
    left = Clockwork("throttle 1000/s", transport=UDP).play(messages)
    for way in WAYS:
        rate(1000, 50)(of(way, messages), left[way])


@settings(max_examples=60, deadline=None)
@given(messages=MESSAGES, ahead=st.integers(1, 3))
def test_a_reordered_datagram_waits_for_so_many_or_a_second(messages: list[Sent], ahead: int) -> None:
    numbered = [Sent(each.at, each.way, b"#%d" % number) for number, each in enumerate(messages)]
    left = Clockwork(f"reorder {ahead} first 1 each", transport=UDP).play(numbered)
    for way in WAYS:
        sent, gone = of(way, numbered), [(at, bytes(departure.payload)) for at, departure in left[way]]
        if not sent:
            continue
        later = [each.at for each in sent[1:] if each.at < sent[0].at + 1.0]
        expected = later[ahead - 1] if len(later) >= ahead else sent[0].at + 1.0
        assert [at for at, payload in gone if payload == sent[0].payload] == [pytest.approx(expected)]
        assert [(at, payload) for at, payload in gone if payload != sent[0].payload] == [
            (each.at, each.payload) for each in sent[1:]
        ]


EVERY_FAULT = [
    (f"{kind.name} {kind.example}", transport)
    for kind in catalog.offered()
    for transport in Transport
    if transport in kind.transports
]


@pytest.mark.parametrize(("spec", "transport"), EVERY_FAULT)
@settings(max_examples=30, deadline=None)
@given(messages=MESSAGES)
def test_every_fault_keeps_time_order_and_bytes(spec: str, transport: Transport, messages: list[Sent]) -> None:
    """Nothing leaves before it came; on a stream all bytes leave in order, unless the fault says otherwise."""
    left = Clockwork(spec, transport=transport).play(messages)
    for way in WAYS:
        sent, gone = of(way, messages), left[way]
        assert [at for at, _ in gone] == sorted(at for at, _ in gone)
        if gone:
            assert gone[0][0] >= min((each.at for each in sent), default=5.0)
        whole = all(each.what is Leaving.BYTES and each.original is None for _, each in gone[:-1])
        if transport is TCP and whole and gone and gone[-1][1].what is Leaving.FIN:
            came = b"".join(each.payload for each in sent)
            assert b"".join(bytes(each.payload) for _, each in gone) == came


# Which segments: all of them, some, and the first few of the whole wire or of each direction of each flow

ACTING = {"delay 1s": TCP, "corrupt": TCP, "jitter 1s": TCP, "loss": UDP, "duplicate": UDP, "delay 2s": UDP}


def acted(left: Sequence[Left]) -> int:
    return sum(bool(departure.fate) or departure.what is Leaving.DROPPED for _, departure in left)


@pytest.mark.parametrize("spec", ACTING)
@settings(max_examples=40, deadline=None)
@given(messages=MESSAGES, first=st.integers(1, 6))
def test_first_counts_once_for_the_whole_wire(spec: str, messages: list[Sent], first: int) -> None:
    left = Clockwork(f"{spec} first {first}", transport=ACTING[spec]).play(messages)
    met = {way: len([each for each in messages[:first] if each.way == way]) for way in WAYS}
    assert {way: acted(left[way]) for way in WAYS} == met


@pytest.mark.parametrize("spec", ACTING)
@settings(max_examples=40, deadline=None)
@given(messages=MESSAGES, first=st.integers(1, 3))
def test_first_each_counts_in_each_direction_of_each_flow(spec: str, messages: list[Sent], first: int) -> None:
    left = Clockwork(f"{spec} first {first} each", transport=ACTING[spec]).play(messages)
    assert {way: acted(left[way]) for way in WAYS} == {way: min(first, len(of(way, messages))) for way in WAYS}


@settings(max_examples=40, deadline=None)
@given(messages=MESSAGES, first=st.integers(1, 3))
def test_first_counts_one_direction_alone_where_one_is_named(messages: list[Sent], first: int) -> None:
    left = Clockwork(f"loss first {first} <-", transport=UDP).play(messages)
    back = [each for each in messages if each.way[1] is Direction.TO_CLIENT]
    lost = sum(departure.what is Leaving.DROPPED for way in WAYS for _, departure in left[way])
    assert lost == min(first, len(back))
    assert not any(left[way][0][1].fate for way in WAYS if way[1] is Direction.TO_SERVER and left[way])


@pytest.mark.parametrize(("spec", "what"), [("cut", Leaving.CLOSE), ("reset", Leaving.RESET)])
@settings(max_examples=40, deadline=None)
@given(messages=MESSAGES, passed=st.integers(0, 60))
def test_the_first_flow_ends_early_and_the_next_ones_do_not(
    spec: str, what: Leaving, messages: list[Sent], passed: int
) -> None:
    """``first 1`` counts what the fault does, not what it lets pass: a message of 5 bytes is not cut after 10."""
    left = Clockwork(f"{spec} after {passed} first 1").play(messages)
    through: dict[Way, int] = defaultdict(int)
    ended: Way | None = None
    for sent in messages:
        through[sent.way] += len(sent.payload)
        if ended is None and through[sent.way] > passed:
            ended = sent.way
    assert [way for way in WAYS if left[way][-1][1].what is what] == ([] if ended is None else [ended])
    for way in WAYS:
        arrived = b"".join(bytes(departure.payload) for _, departure in left[way])
        whole = b"".join(each.payload for each in of(way, messages))
        assert arrived == (whole[:passed] if way == ended else whole)


@settings(max_examples=40, deadline=None)
@given(messages=MESSAGES)
def test_a_stall_of_the_first_is_one_pause_of_the_whole_wire(messages: list[Sent]) -> None:
    left = Clockwork("stall 1s first 1").play(messages)
    for way in WAYS:
        pause = one_pause(1.0, 0) if messages and way == messages[0].way else held_for(0.0, 0.0)
        pause(of(way, messages), left[way])


@settings(max_examples=40, deadline=None)
@given(messages=MESSAGES, every=st.integers(1, 4))
def test_a_stall_of_every_so_many_begins_a_pause_with_each_outside_one(messages: list[Sent], every: int) -> None:
    for transport in Transport:
        left = Clockwork(f"stall 1s every {every}", transport=transport).play(messages)
        for way in WAYS:
            ends, expected = -1.0, []
            for number, each in enumerate(of(way, messages), 1):
                if number % every == 0 and each.at >= ends:
                    ends = each.at + 1.0
                expected.append(max(each.at, ends))
            gone = [at for at, departure in left[way] if departure.what is Leaving.BYTES]
            assert gone == pytest.approx(expected)


@pytest.mark.parametrize("words", ["loss each", "loss each first 2", "loss first each", "loss first 2 each each"])
def test_each_stands_behind_a_first(words: str) -> None:
    with pytest.raises(ValueError, match=r"each|number"):
        catalog.parse(words)


def test_a_fault_that_stays_among_others_goes_on_and_the_same_again_begins_afresh() -> None:
    """As `Wire.impair` does it: the impairments that stay are the same ones, and a lane takes over their state."""
    chain = catalog.chain(["stall 1s"])
    lane = ImpairmentLane(chain, TCP, Direction.TO_SERVER, 1)
    lane.enter(b"one", 0.0)
    assert [at.fate for at in lane.leave(1.0)] == ["stalled 1000 ms"]
    more = ImpairmentLane((*chain, *catalog.chain(["noop"])), TCP, Direction.TO_SERVER, 1, before=lane)
    more.enter(b"two", 2.0)
    assert [bytes(each.payload) for each in more.leave(2.0)] == [b"two"]
    afresh = ImpairmentLane(catalog.chain(["stall 1s"]), TCP, Direction.TO_SERVER, 1, before=more)
    afresh.enter(b"three", 3.0)
    assert (afresh.leave(3.0), afresh.next_release) == ([], 4.0)
