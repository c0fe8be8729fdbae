"""The states of both ends of a TCP connection, as its segments change them (RFC 9293, section 3.3.2).

SYN-ACK and pure ACK are no segments of a capture; they are taken to have come where what follows says so. Pure; it
draws nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from netlab.capture.model import Direction, Kind, Outcome, Segment


class EndState(Enum):
    """A state, by its name in RFC 9293."""

    CLOSED = "CLOSED"
    LISTEN = "LISTEN"
    SYN_SENT = "SYN_SENT"
    SYN_RECEIVED = "SYN_RECEIVED"
    ESTABLISHED = "ESTABLISHED"
    FIN_WAIT_1 = "FIN_WAIT_1"
    FIN_WAIT_2 = "FIN_WAIT_2"
    CLOSE_WAIT = "CLOSE_WAIT"
    LAST_ACK = "LAST_ACK"
    TIME_WAIT = "TIME_WAIT"


_SENT_FIN = {EndState.ESTABLISHED: EndState.FIN_WAIT_1, EndState.CLOSE_WAIT: EndState.LAST_ACK}
_GOT_FIN = {
    EndState.ESTABLISHED: EndState.CLOSE_WAIT,
    EndState.FIN_WAIT_1: EndState.TIME_WAIT,
    EndState.FIN_WAIT_2: EndState.TIME_WAIT,
}
_ACKED = {EndState.FIN_WAIT_1: EndState.FIN_WAIT_2, EndState.LAST_ACK: EndState.CLOSED}
_SENDS = frozenset({EndState.ESTABLISHED, EndState.CLOSE_WAIT})
"""The states in which a side may send data."""


class BothEnds(NamedTuple):
    """The states of client and server."""

    client: EndState
    server: EndState

    def of(self, way: Direction) -> tuple[EndState, EndState]:
        """The states of who sends in a direction, and of who receives."""
        return (self.client, self.server) if way is Direction.TO_SERVER else (self.server, self.client)

    @staticmethod
    def from_sender(way: Direction, sender: EndState, receiver: EndState) -> BothEnds:
        """The two states, given as `of` gives them."""
        return BothEnds(sender, receiver) if way is Direction.TO_SERVER else BothEnds(receiver, sender)


_OPEN = BothEnds(EndState.ESTABLISHED, EndState.ESTABLISHED)


@dataclass(frozen=True, slots=True)
class StateStep:
    """Segments of one direction that change nothing between them, or one that does, and the states after it.

    ``inferred``: an acknowledgement that is not in the capture. ``wrong`` says what a side must not do, or empty.
    """

    way: Direction
    kind: Kind
    segments: tuple[Segment, ...]
    after: BothEnds
    inferred: bool = False
    wrong: str = ""
    half_closed: bool = False
    """Whether the other side has ended its direction, and this one goes on."""

    @property
    def lost(self) -> bool:
        """Whether the wire dropped them."""
        return self.segments[0].outcome is Outcome.DROPPED if self.segments else False


def beginning(segments: Sequence[Segment], connected: bool) -> BothEnds:
    """The states before the first segment. ``connected``: the lab knows that the connection was made."""
    if segments and segments[0].kind is not Kind.OPEN:
        return _OPEN
    return BothEnds(EndState.CLOSED, EndState.LISTEN) if segments or not connected else _OPEN


def steps(segments: Sequence[Segment], connected: bool) -> Iterator[StateStep]:
    """The connection step by step."""
    ends = beginning(segments, connected)
    run: list[Segment] = []
    for segment in segments:
        if run and not _continues(run, segment):
            yield _data(run, ends)
            run = []
        if segment.kind is not Kind.OPEN and not _reset_at_once(segment, ends):
            ends = _answered(ends)
        if segment.kind is Kind.DATA:
            run.append(segment)
            continue
        if segment.carries and segment.kind is Kind.FIN:  # its bytes come before the FIN
            yield _data([segment], ends)
        for step in _changed(segment, ends):
            ends = step.after
            yield step
    if run:
        yield _data(run, ends)
    elif connected and ends.client is EndState.SYN_SENT:
        yield StateStep(Direction.TO_CLIENT, Kind.OPEN, (), _OPEN, inferred=True)


def _continues(run: Sequence[Segment], segment: Segment) -> bool:
    last = run[-1]
    return (last.direction, last.kind, last.outcome) == (segment.direction, segment.kind, segment.outcome)


def _reset_at_once(segment: Segment, ends: BothEnds) -> bool:
    """Whether a segment refuses a connection."""
    return segment.kind is Kind.RESET and EndState.SYN_SENT in ends


def _answered(ends: BothEnds) -> BothEnds:
    """The states once more has come than a SYN."""
    return _OPEN if ends.client in (EndState.SYN_SENT, EndState.SYN_RECEIVED) else ends


def _data(run: Sequence[Segment], ends: BothEnds) -> StateStep:
    way = run[0].direction
    sender, _ = ends.of(way)
    wrong = "" if sender in _SENDS else _why_not(sender)
    return StateStep(way, Kind.DATA, tuple(run), ends, wrong=wrong, half_closed=sender is EndState.CLOSE_WAIT)


def _why_not(sender: EndState) -> str:
    return "after its connection was over" if sender is EndState.CLOSED else "after its own FIN"


def _changed(segment: Segment, ends: BothEnds) -> Iterator[StateStep]:
    """A segment that opens or ends, and the acknowledgement that follows."""
    way, one = segment.direction, (segment,)
    sender, receiver = ends.of(way)
    if segment.outcome is Outcome.DROPPED:
        yield StateStep(way, segment.kind, one, ends)
    elif segment.kind is Kind.OPEN:
        again = ends.client not in (EndState.CLOSED, EndState.LISTEN)
        after = ends if again else BothEnds.from_sender(way, EndState.SYN_SENT, EndState.SYN_RECEIVED)
        yield StateStep(way, Kind.OPEN, one, after, wrong="sent again" if again else "")
    elif segment.kind is Kind.RESET:
        over = EndState.CLOSED in (sender, receiver) and sender is receiver
        yield StateStep(way, Kind.RESET, one, BothEnds(EndState.CLOSED, EndState.CLOSED), wrong="again" if over else "")
    elif sender not in _SENT_FIN:
        yield StateStep(
            way, Kind.FIN, one, ends, wrong="sent again" if sender is not EndState.CLOSED else _why_not(sender)
        )
    else:
        sent, got = _SENT_FIN[sender], _GOT_FIN.get(receiver, receiver)
        yield StateStep(way, Kind.FIN, one, BothEnds.from_sender(way, sent, got))
        acked = BothEnds.from_sender(way, _ACKED[sent], got)
        yield StateStep(way.other, Kind.FIN, (), acked, inferred=True)
