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


class State(Enum):
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


_SENT_FIN = {State.ESTABLISHED: State.FIN_WAIT_1, State.CLOSE_WAIT: State.LAST_ACK}
_GOT_FIN = {
    State.ESTABLISHED: State.CLOSE_WAIT,
    State.FIN_WAIT_1: State.TIME_WAIT,
    State.FIN_WAIT_2: State.TIME_WAIT,
}
_ACKED = {State.FIN_WAIT_1: State.FIN_WAIT_2, State.LAST_ACK: State.CLOSED}
_SENDS = frozenset({State.ESTABLISHED, State.CLOSE_WAIT})
"""The states in which a side may send data."""


class Ends(NamedTuple):
    """The states of client and server."""

    client: State
    server: State

    def of(self, way: Direction) -> tuple[State, State]:
        """The states of who sends in a direction, and of who receives."""
        return (self.client, self.server) if way is Direction.TO_SERVER else (self.server, self.client)

    @staticmethod
    def from_sender(way: Direction, sender: State, receiver: State) -> Ends:
        """The two states, given as `of` gives them."""
        return Ends(sender, receiver) if way is Direction.TO_SERVER else Ends(receiver, sender)


_OPEN = Ends(State.ESTABLISHED, State.ESTABLISHED)


@dataclass(frozen=True, slots=True)
class Step:
    """Segments of one direction that change nothing between them, or one that does, and the states after it.

    ``inferred``: an acknowledgement that is not in the capture. ``wrong`` says what a side must not do, or empty.
    """

    way: Direction
    kind: Kind
    segments: tuple[Segment, ...]
    after: Ends
    inferred: bool = False
    wrong: str = ""
    half_closed: bool = False
    """Whether the other side has ended its direction, and this one goes on."""

    @property
    def lost(self) -> bool:
        """Whether the wire dropped them."""
        return self.segments[0].outcome is Outcome.DROPPED if self.segments else False


def beginning(segments: Sequence[Segment], connected: bool) -> Ends:
    """The states before the first segment. ``connected``: the lab knows that the connection was made."""
    if segments and segments[0].kind is not Kind.OPEN:
        return _OPEN
    return Ends(State.CLOSED, State.LISTEN) if segments or not connected else _OPEN


def steps(segments: Sequence[Segment], connected: bool) -> Iterator[Step]:
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
    elif connected and ends.client is State.SYN_SENT:
        yield Step(Direction.TO_CLIENT, Kind.OPEN, (), _OPEN, inferred=True)


def _continues(run: Sequence[Segment], segment: Segment) -> bool:
    last = run[-1]
    return (last.direction, last.kind, last.outcome) == (segment.direction, segment.kind, segment.outcome)


def _reset_at_once(segment: Segment, ends: Ends) -> bool:
    """Whether a segment refuses a connection."""
    return segment.kind is Kind.RESET and State.SYN_SENT in ends


def _answered(ends: Ends) -> Ends:
    """The states once more has come than a SYN."""
    return _OPEN if ends.client in (State.SYN_SENT, State.SYN_RECEIVED) else ends


def _data(run: Sequence[Segment], ends: Ends) -> Step:
    way = run[0].direction
    sender, _ = ends.of(way)
    wrong = "" if sender in _SENDS else _why_not(sender)
    return Step(way, Kind.DATA, tuple(run), ends, wrong=wrong, half_closed=sender is State.CLOSE_WAIT)


def _why_not(sender: State) -> str:
    return "after its connection was over" if sender is State.CLOSED else "after its own FIN"


def _changed(segment: Segment, ends: Ends) -> Iterator[Step]:
    """A segment that opens or ends, and the acknowledgement that follows."""
    way, one = segment.direction, (segment,)
    sender, receiver = ends.of(way)
    if segment.outcome is Outcome.DROPPED:
        yield Step(way, segment.kind, one, ends)
    elif segment.kind is Kind.OPEN:
        again = ends.client not in (State.CLOSED, State.LISTEN)
        after = ends if again else Ends.from_sender(way, State.SYN_SENT, State.SYN_RECEIVED)
        yield Step(way, Kind.OPEN, one, after, wrong="sent again" if again else "")
    elif segment.kind is Kind.RESET:
        over = State.CLOSED in (sender, receiver) and sender is receiver
        yield Step(way, Kind.RESET, one, Ends(State.CLOSED, State.CLOSED), wrong="again" if over else "")
    elif sender not in _SENT_FIN:
        yield Step(way, Kind.FIN, one, ends, wrong="sent again" if sender is not State.CLOSED else _why_not(sender))
    else:
        sent, got = _SENT_FIN[sender], _GOT_FIN.get(receiver, receiver)
        yield Step(way, Kind.FIN, one, Ends.from_sender(way, sent, got))
        acked = Ends.from_sender(way, _ACKED[sent], got)
        yield Step(way.other, Kind.FIN, (), acked, inferred=True)
