"""Swim lanes: the phases of each client over time: connecting, in the accept queue, being served, closed.

Captured segments and the server's events go in, lanes come out; `netlab.lab.experiments.swim_lanes_text` draws them.
This module reads no clock. Only `lanes_of` and `LiveLanes` know a lab.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from netlab.capture.model import Direction, Endpoint, Kind, LetGo, Outcome, Segment
from netlab.lab.server_sockets import FlowSockets
from netlab.lab.state import LogLine
from netlab.topics.peer_event import PeerEventKind

if TYPE_CHECKING:
    from netlab.lab.lab import Lab

SECOND = 1_000_000_000

Known = tuple[str, int | None]
"""A client's name, and when it began to connect, if known."""


class LanePhase(Enum):
    """The phase of a client. The value is its name in the legend."""

    CONNECTING = "connecting"
    QUEUED = "in the accept queue"
    UNSURE = "in the queue or being served: the kernel was asked before and after"
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
    """One client. Times are nanoseconds since the epoch; None if it has not happened or is not known.

    ``began`` is when the client began to connect, ``opened`` when the wire saw that, ``accepted`` when the server took
    it out of the accept queue, ``closed`` when the server closed or either side reset. If the server does not report
    (``reported``) whom it accepts, the kernel was asked now and then: it was accepted after ``accepted_after`` and by
    ``accepted``. ``now`` is the connection's state as the kernel knows it, in a few words, if it is out of the
    ordinary. Bytes are payload.
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
    accepted_after: int | None = None
    now: str = ""
    reported: bool = True

    @property
    def first(self) -> int:
        """When its row begins."""
        return self.opened if self.began is None else min(self.began, self.opened)

    @property
    def spans(self) -> tuple[PhaseSpan, ...]:
        """Its phases in order; the last one has no end unless it is closed."""
        marks = [
            (LanePhase.CONNECTING, self.began),
            (LanePhase.QUEUED, self.opened),
            (LanePhase.UNSURE, self.accepted_after),
            (LanePhase.SERVED, self.accepted),
        ]
        if self.accepted_after is not None and self.accepted_after <= self.opened:  # it was never seen in the queue
            del marks[1]
        met = [(phase, at) for phase, at in marks if at is not None]
        ends = [*(at for _, at in met[1:]), self.closed]
        return tuple(PhaseSpan(phase, at, end) for (phase, at), end in zip(met, ends, strict=True))

    def phase(self, now: int) -> LanePhase:
        """The client's phase at a time."""
        if self.closed is not None and now >= self.closed:
            return LanePhase.CLOSED
        return [span.phase for span in self.spans if span.start <= now or span.start == self.first][-1]

    def words(self, now: int) -> str:
        """How long it waited, or waits, in the accept queue; ``never served`` if it was closed there."""
        if self.accepted is not None:
            return self.now or f"waited {self.wait(now)}"
        never = "never served" if self.reported else "not seen served"
        return never if self.closed is not None else f"waits {self.wait(now).rstrip('…')}"

    @property
    def waited(self) -> bool:
        """Whether its wait was long enough to show in `words`."""
        return self.accepted is not None and _time(self.accepted - self.opened) != _time(0)

    def wait(self, now: int) -> str:
        """The same in a few characters: ``398 ms``, ``≤ 98 ms``, ``1.40 s…`` while it lasts, ``never``."""
        if self.accepted is not None and self.accepted_after is not None:
            return f"≤ {_time(self.accepted - self.opened)}"
        if self.accepted is not None:
            return _time(self.accepted - self.opened)
        never = "never" if self.reported else "unseen"
        return never if self.closed is not None else f"{_time(now - self.opened)}…"


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
        """Nanoseconds from there to the last event, or to now while a client is connected."""
        ends = [self.now if lane.closed is None else lane.closed for lane in self.lanes]
        return max(max(ends, default=self.now) - self.start, 1)


@dataclass(slots=True)
class LaneBuilder:
    """Collects segments and accepts as they come in; `lanes` assigns them to clients.

    The server may report a client by the wire's address instead of the client's own. Then the order decides: an accept
    queue is first come, first served, and the wire connects in the order in which the clients came.
    """

    _lanes: dict[int, Lane] = field(default_factory=dict)
    _accepts: list[tuple[int, Endpoint]] = field(default_factory=list)
    _looks: dict[Endpoint, tuple[int, int, int]] = field(default_factory=dict)
    _answered: dict[int, int] = field(default_factory=dict)
    reported: bool = True
    """Whether the server reports whom it accepts. If not, its first answer shows that it did."""

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
        if way is Direction.TO_CLIENT and segment.kind in (Kind.DATA, Kind.FIN):
            self._answered.setdefault(number, segment.time_ns)
        if lane.closed is None and _ends(segment):
            self._lanes[number] = replace(lane, closed=segment.time_ns)

    def accepted(self, time_ns: int, peer: Endpoint) -> None:
        """The server took a client out of its accept queue."""
        self._accepts.append((time_ns, peer))

    def found_accepted(self, client: Endpoint, opened: int, after: int, by: int) -> None:
        """The kernel shows that the client that came at ``opened`` was accepted after one look and by the next."""
        self._looks[client] = opened, after, by

    def lanes(self, names: dict[Endpoint, Known] | None = None) -> tuple[Lane, ...]:
        """The lanes, in the order in which the clients came. ``names`` has the names and ``began`` of known clients."""
        known = names or {}
        lanes = sorted(self._lanes.values(), key=lambda lane: (lane.opened, lane.flow))
        accepted = self._matched(lanes)
        placed = (self._placed(lane, accepted.get(lane.flow)) for lane in lanes)
        return tuple(_named(lane, index, known) for index, lane in enumerate(placed, 1))

    def _placed(self, lane: Lane, accepted: int | None) -> Lane:
        """The lane with what is known of its acceptance: the server's own report, else what the kernel showed."""
        if accepted is not None:
            return replace(lane, accepted=accepted)
        if self.reported:
            return lane
        opened, after, by = self._looks.get(lane.client, (0, 0, 0))
        if opened > lane.opened:  # a later connection from the same address
            after = by = 0
        times = [at for at in (by, self._answered.get(lane.flow)) if at]
        if not times:
            return replace(lane, reported=False)
        accepted = max(min(times), lane.opened)
        return replace(lane, accepted=accepted, accepted_after=min(max(after, lane.opened), accepted), reported=False)

    def _matched(self, lanes: Sequence[Lane]) -> dict[int, int]:
        """When each flow was accepted: by its address, the others by their order."""
        by_client = {lane.client: lane.flow for lane in lanes}
        matched = {by_client[peer]: at for at, peer in self._accepts if peer in by_client}
        rest = sorted(at for at, peer in self._accepts if peer not in by_client)
        nameless = [lane.flow for lane in lanes if lane.flow not in matched]
        return matched | dict(zip(nameless, rest, strict=False))


class LiveLanes:
    """The lanes of a running lab: each call of `board` reads only what is new.

    ``segment`` and ``log`` are the numbers of segments and log lines to skip at the start.
    """

    def __init__(self, lab: Lab, *, segment: int = 0, log: int = 0) -> None:
        self._lab, self._segment, self._log = lab, segment, log
        self._builder = LaneBuilder()
        self._names: dict[Endpoint, Known] = {}

    def remember_clients(self) -> None:
        """Remember the names of the lab's current clients, since closed clients have none."""
        self._names |= _names(self._lab)

    def board(self, now: int, segments: Sequence[Segment] | None = None, *, at_most: int = sys.maxsize) -> Board:
        """The lanes now, from the segments that the lab has read so far, unless others are given.

        ``at_most`` bounds how many new segments are read; the rest is read by the next call.
        """
        if segments is None:
            shown = self._lab.shown_capture
            segments = shown.segments if shown is not None else ()
        end = min(len(segments), self._segment + at_most)
        for index in range(self._segment, end):
            with suppress(LetGo):
                self._builder.crossed(segments[index])
        self._segment = max(self._segment, end)
        lines, self._log = self._lab.log.since(self._log)
        _take_log(self._builder, lines)
        self._builder.reported = self._lab.server_reports
        if not self._builder.reported:
            _take_flows(self._builder, self._lab)
        self.remember_clients()
        state = self._lab.state
        lanes = self._builder.lanes(self._names)
        if state.sockets is not None and state.sockets.flows:
            lanes = _with_sockets(lanes, state.sockets.flows)
        return Board(state.model, lanes, now)


def lanes_of(lab: Lab) -> tuple[Lane, ...]:
    """The lanes of everything in a lab's capture and log."""
    return LiveLanes(lab).board(0, lab.capture.segments).lanes


def _time(nanoseconds: int) -> str:
    seconds = max(nanoseconds, 0) / SECOND
    return f"{seconds:.1f} s" if seconds >= 10 else f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def _ends(segment: Segment) -> bool:
    """Whether the server has finished with the client: it sent FIN, or one of them sent RST."""
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


def _take_flows(builder: LaneBuilder, lab: Lab) -> None:
    for flow in lab.flows:
        if flow.accepted is not None and flow.accepted_after is not None:
            builder.found_accepted(flow.client, flow.opened, flow.accepted_after, flow.accepted)


def _with_sockets(lanes: tuple[Lane, ...], flows: Mapping[Endpoint, FlowSockets]) -> tuple[Lane, ...]:
    """The lanes of open connections with their state now."""
    return tuple(
        replace(lane, now=_state(flow)) if lane.closed is None and (flow := flows.get(lane.client)) else lane
        for lane in lanes
    )


def _state(flow: FlowSockets) -> str:
    if flow.left and flow.accepted:
        return "client has left"
    return f"unread: {flow.unread:,} B" if flow.unread else ""


def _take_log(builder: LaneBuilder, lines: Iterable[LogLine]) -> None:
    for line in lines:
        if line.event is not None and line.event.what is PeerEventKind.ACCEPTED:
            builder.accepted(line.time_ns, line.event.peer)
