"""Swim lanes: what becomes of each client in time: connecting, in the accept queue, being served, closed.

Facts in (what the wire captured, whom the server accepted), lanes out; `netlab.lab.experiments.swim_lanes_text` makes
pictures of them.
It reads no clock; `lanes_of` and `LiveLanes` are the only ones that know a lab.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from netlab.capture.model import Direction, Endpoint, Kind, Outcome, Segment
from netlab.lab.state import LogLine
from netlab.topics.peer_event import PeerEventKind

if TYPE_CHECKING:
    from netlab.lab.lab import Lab

SECOND = 1_000_000_000

Known = tuple[str, int | None]
"""A client's name, and when it began to connect where that is known."""


class LanePhase(Enum):
    """Where a client is. The value is what the legend calls it."""

    CONNECTING = "connecting"
    QUEUED = "in the accept queue"
    SERVED = "being served"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class PhaseSpan:
    """A phase and when, in nanoseconds since the epoch; ``end`` is None while it lasts."""

    phase: LanePhase
    start: int
    end: int | None


@dataclass(frozen=True, slots=True)
class Lane:
    """One client. Times are nanoseconds since the epoch, None where it has not happened or is not known.

    ``began`` is when the client began to connect, ``opened`` when the wire saw that, ``accepted`` when the server took
    it out of the accept queue, ``closed`` when the server closed or either side reset. Bytes are payload.
    """

    flow: int
    client: Endpoint
    opened: int
    name: str = ""
    began: int | None = None
    accepted: int | None = None
    closed: int | None = None
    to_server: int = 0
    to_client: int = 0

    @property
    def first(self) -> int:
        """When its row begins."""
        return self.opened if self.began is None else min(self.began, self.opened)

    @property
    def spans(self) -> tuple[PhaseSpan, ...]:
        """Its phases in order; the last one has no end unless it is closed."""
        marks = [(LanePhase.CONNECTING, self.began), (LanePhase.QUEUED, self.opened), (LanePhase.SERVED, self.accepted)]
        met = [(phase, at) for phase, at in marks if at is not None]
        ends = [*(at for _, at in met[1:]), self.closed]
        return tuple(PhaseSpan(phase, at, end) for (phase, at), end in zip(met, ends, strict=True))

    def phase(self, now: int) -> LanePhase:
        """Where the client is at a time."""
        if self.closed is not None and now >= self.closed:
            return LanePhase.CLOSED
        return [span.phase for span in self.spans if span.start <= now or span.start == self.first][-1]

    def words(self, now: int) -> str:
        """How long it waited, or waits, in the accept queue; ``never served`` where it was closed in there."""
        if self.accepted is not None:
            return f"waited {self.wait(now)}"
        return "never served" if self.closed is not None else f"waits {self.wait(now).rstrip('…')}"

    @property
    def waited(self) -> bool:
        """Whether it was served after a wait that its words can tell from none."""
        return self.accepted is not None and _time(self.accepted - self.opened) != _time(0)

    def wait(self, now: int) -> str:
        """The same in a few characters: ``398 ms``, ``1.40 s…`` while it lasts, ``never``."""
        if self.accepted is not None:
            return _time(self.accepted - self.opened)
        return "never" if self.closed is not None else f"{_time(now - self.opened)}…"


@dataclass(frozen=True, slots=True)
class Board:
    """The lanes of one lab with a title, as they were at ``now`` (nanoseconds since the epoch)."""

    title: str
    lanes: tuple[Lane, ...]
    now: int

    @property
    def start(self) -> int:
        """When the first lane begins."""
        return min((lane.first for lane in self.lanes), default=self.now)

    @property
    def length(self) -> int:
        """Nanoseconds from there to the last thing that happened: now, while a client is there."""
        ends = [self.now if lane.closed is None else lane.closed for lane in self.lanes]
        return max(max(ends, default=self.now) - self.start, 1)


@dataclass(slots=True)
class LaneBuilder:
    """Gathers what lanes are made of, while it comes in. What belongs to which client is decided in `lanes`.

    The server may know a client by the wire's address instead of its own. Then the order tells: an accept queue is
    first come, first served, and the wire connects in the order in which clients came.
    """

    _lanes: dict[int, Lane] = field(default_factory=dict)
    _accepts: list[tuple[int, Endpoint]] = field(default_factory=list)

    def crossed(self, segment: Segment) -> None:
        """A segment crossed the wire."""
        number, way = segment.flow.number, segment.direction
        lane = self._lanes.get(number)
        if lane is None:
            lane = self._lanes[number] = Lane(number, segment.flow.client, segment.time_ns)
        if segment.carries and segment.outcome is not Outcome.DROPPED:
            up = way is Direction.TO_SERVER
            grown = (lane.to_server + segment.length * up, lane.to_client + segment.length * (not up))
            self._lanes[number] = replace(lane, to_server=grown[0], to_client=grown[1])
            lane = self._lanes[number]
        if lane.closed is None and _ends(segment):
            self._lanes[number] = replace(lane, closed=segment.time_ns)

    def accepted(self, time_ns: int, peer: Endpoint) -> None:
        """The server took a client out of its accept queue."""
        self._accepts.append((time_ns, peer))

    def lanes(self, names: dict[Endpoint, Known] | None = None) -> tuple[Lane, ...]:
        """The lanes, in the order in which the clients came. ``names`` has a name and ``began`` for known clients."""
        known = names or {}
        lanes = sorted(self._lanes.values(), key=lambda lane: (lane.opened, lane.flow))
        accepted = self._matched(lanes)
        placed = (replace(lane, accepted=accepted.get(lane.flow)) for lane in lanes)
        return tuple(_named(lane, index, known) for index, lane in enumerate(placed, 1))

    def _matched(self, lanes: Sequence[Lane]) -> dict[int, int]:
        """When each flow was accepted: by its address, the others by their order."""
        by_client = {lane.client: lane.flow for lane in lanes}
        told = {by_client[peer]: at for at, peer in self._accepts if peer in by_client}
        rest = sorted(at for at, peer in self._accepts if peer not in by_client)
        nameless = [lane.flow for lane in lanes if lane.flow not in told]
        return told | dict(zip(nameless, rest, strict=False))


class LiveLanes:
    """The lanes of a lab, live: each `board` reads only what is new since the one before.

    ``segment`` and ``log`` are where to begin: how many segments and log lines to leave out.
    """

    def __init__(self, lab: Lab, *, segment: int = 0, log: int = 0) -> None:
        self._lab, self._segment, self._log = lab, segment, log
        self._facts = LaneBuilder()
        self._names: dict[Endpoint, Known] = {}

    def remember_clients(self) -> None:
        """Remember the lab's clients of now, whose names are not known any more once they are closed."""
        self._names |= _names(self._lab)

    def board(self, now: int, segments: Sequence[Segment] | None = None, *, at_most: int = sys.maxsize) -> Board:
        """The lanes at this time; of the segments that were read so far, unless others are given.

        ``at_most`` bounds how many new segments are read now; the others are read the next time.
        """
        if segments is None:
            shown = self._lab.shown_capture
            segments = shown.segments if shown is not None else ()
        end = min(len(segments), self._segment + at_most)
        for index in range(self._segment, end):
            self._facts.crossed(segments[index])
        self._segment = max(self._segment, end)
        lines, self._log = self._lab.log.since(self._log)
        _take_log(self._facts, lines)
        self.remember_clients()
        return Board(self._lab.state.model, self._facts.lanes(self._names), now)


def lanes_of(lab: Lab) -> tuple[Lane, ...]:
    """The lanes of everything that a lab's capture and log hold."""
    return LiveLanes(lab).board(0, lab.capture.segments).lanes


def _time(nanoseconds: int) -> str:
    seconds = max(nanoseconds, 0) / SECOND
    return f"{seconds:.1f} s" if seconds >= 10 else f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def _ends(segment: Segment) -> bool:
    """Whether the server is done with its client: it said its last, or one of them broke off."""
    return segment.kind is Kind.RESET or (segment.kind is Kind.FIN and segment.direction is Direction.TO_CLIENT)


def _named(lane: Lane, index: int, known: dict[Endpoint, Known]) -> Lane:
    name, began = known.get(lane.client, (f"flow {index}", None))
    return replace(lane, name=name, began=began)


def _names(lab: Lab) -> dict[Endpoint, Known]:
    """The lab's own clients by their addresses."""
    offset = time.time_ns() - time.monotonic_ns()
    return {
        at: (session.name, offset + round(began * SECOND))
        for session in lab.sessions
        for at, began in session.addresses().items()
    }


def _take_log(facts: LaneBuilder, lines: Iterable[LogLine]) -> None:
    for line in lines:
        if line.event is not None and line.event.what is PeerEventKind.ACCEPTED:
            facts.accepted(line.time_ns, line.event.peer)
