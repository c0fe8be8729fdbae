"""Shows each segment of one direction of one flow to the chain of faults, and performs their requests.

It decides what leaves and when, and does no I/O: bytes and a clock go in (`ImpairmentLane.enter`), departures come out
(`ImpairmentLane.leave`). A wire without faults does not use it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Final

from netlab.capture.model import Direction, Transport
from netlab.wire.impairment.fault import Fault, Impairment, Passing
from netlab.wire.impairment.intercept import PIECE, Gate
from netlab.wire.impairment.queues import EVERYTHING, OrderedQueue, OvertakingQueue, Queue
from netlab.wire.impairment.requests import Close, Drop, Forward, Hold, Request, Reset

if TYPE_CHECKING:
    from random import Random

REPLAYED: Final = "replayed"
"""The fate of bytes that a person sent from the wire; they never came."""
_NOTHING = memoryview(b"")


class Leaving(Enum):
    """What a departure is."""

    BYTES = "bytes"
    DROPPED = "dropped"
    """Goes no further; the capture records it."""
    FIN = "fin"
    CLOSE = "close"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class Departure:
    """What leaves the wire, and what was done to it."""

    what: Leaving
    payload: memoryview = _NOTHING
    fate: str = ""
    original: memoryview | None = None


@dataclass(frozen=True, slots=True)
class _Travelling:
    """A departure on its way through the chain, and the time at which it gets there."""

    departure: Departure
    time: float
    behind: int = 0


@dataclass(slots=True)
class _Stage:
    impairment: Impairment
    fault: Fault
    random: Random
    index: int = 0
    offset: int = 0


def _random(seed: str) -> Random:
    from random import Random  # late: only a wire with faults needs it

    return Random(seed)


class ImpairmentLane:
    """One direction of one flow under faults, and before them perhaps a gate where segments are held by hand.

    In the lane of a stream nothing overtakes. Each fault has its own random source, made of ``seed``, its place in the
    chain, flow and direction, so a run repeats whatever else goes on. An impairment that was in the lane ``before`` too
    keeps its counts and clocks. Times are the caller's clock, in seconds.
    """

    def __init__(
        self,
        chain: Sequence[Impairment],
        transport: Transport,
        direction: Direction,
        flow: int,
        seed: int = 0,
        before: ImpairmentLane | None = None,
    ) -> None:
        self.transport, self._direction, self._flow = transport, direction, flow
        kept = {id(stage.impairment): stage for stage in before._stages} if before is not None else {}
        self._stages: list[_Stage] = [
            kept.get(id(impairment))
            or _Stage(impairment, impairment.begin(), _random(f"{seed}/{place}/{flow}/{direction.name}"))
            for place, impairment in enumerate(chain)
            if impairment.acts(direction)
        ]
        self.gate: Gate | None = None
        self._inside = 0
        self._over = False
        self.queue: Queue[Departure] = OrderedQueue() if transport is Transport.TCP else OvertakingQueue()

    @property
    def held(self) -> int:
        """Bytes inside; each piece counts `PIECE` more, so that many small ones are bounded too."""
        return self._inside + (self.gate.weight if self.gate is not None else 0)

    @property
    def payload(self) -> int:
        """Bytes inside, without what their pieces take besides."""
        return self._inside - PIECE * len(self.queue) + (self.gate.payload if self.gate is not None else 0)

    @property
    def pieces(self) -> int:
        """How many pieces wait behind the faults."""
        return len(self.queue)

    def enter(self, payload: bytes, clock: float, fate: str = "") -> None:
        """A segment comes in; ``fate`` says what was done to it before. After `Close` or `Reset` nothing comes in."""
        if self._over:
            return
        passed = self.gate.stops(payload, clock, fate) if self.gate is not None else fate
        if passed is not None:
            self._impede(Departure(Leaving.BYTES, memoryview(payload), passed), clock)

    def _impede(self, departure: Departure, clock: float) -> None:
        """Through the faults, and into the queue."""
        travelling = [_Travelling(departure, clock)]
        for stage in self._stages:
            travelling = [after for before in travelling for after in self._pass(stage, before)]
        for item in travelling:
            self._put(item)

    def finish(self, clock: float) -> None:
        """The sender sent its end: it leaves after everything that came before, and is held like bytes."""
        if not self._over and not (self.gate is not None and self.gate.stops_end()):
            self._over = True
            self._inside += PIECE
            leaves, fates = self._end_time(clock)
            self.queue.put(Departure(Leaving.FIN, fate=", ".join(fates)), leaves)

    def leave(self, clock: float, most: int = EVERYTHING) -> list[Departure]:
        """Take what is due by now, in order, about ``most`` departures."""
        if self.gate is not None:
            self._let_through(self.gate, clock)
        departures = self.queue.take(clock, most)
        self._inside -= sum(len(departure.payload) + PIECE for departure in departures)
        return departures

    def _let_through(self, gate: Gate, clock: float) -> None:
        """What a person released meets the faults now."""
        for waiting in gate.opened():
            payload, fate = memoryview(waiting.payload), waiting.words(clock)
            if waiting.dropped:
                self._put(_Travelling(Departure(Leaving.DROPPED, memoryview(waiting.came), fate), clock))
            elif not self._over:
                original = memoryview(waiting.came) if waiting.edited else None
                self._impede(Departure(Leaving.BYTES, payload, fate, original), clock)
        if gate.end_opened():
            self.finish(clock)

    def release(self) -> None:
        """Let everything held leave at once: the faults that held it are gone."""
        self.queue.release()

    @property
    def next_release(self) -> float:
        """When something leaves next; infinity means never."""
        return self.queue.next_release

    @property
    def empty(self) -> bool:
        """Whether nothing is inside."""
        return not len(self.queue) and (self.gate is None or self.gate.empty)

    @property
    def idle(self) -> bool:
        """Whether the flow would go on just the same without it."""
        return not self._stages and self.empty

    def discard(self) -> None:
        """The flow is over: forget what is inside."""
        if self.gate is not None:
            self.gate.discard()

    def _end_time(self, clock: float) -> tuple[float, list[str]]:
        """When the end leaves, and why: each fault sees an empty segment, and only how long it holds that counts."""
        fates: list[str] = []
        for stage in self._stages:
            passing = Passing(_NOTHING, self.transport, self._direction, self._flow, stage.index, stage.offset)
            holds = [each for each in stage.fault(passing, clock, stage.random) if isinstance(each, Hold)]
            longest = max(holds, key=lambda hold: hold.seconds, default=None)
            if longest is not None:
                clock += longest.seconds
                fates += filter(None, (longest.fate,))
            if clock == math.inf:
                break
        return clock, fates

    def _put(self, item: _Travelling) -> None:
        if self._over:
            return
        self._over = item.departure.what in (Leaving.CLOSE, Leaving.RESET)
        self._inside += len(item.departure.payload) + PIECE
        self.queue.put(item.departure, item.time, item.behind)

    def _pass(self, stage: _Stage, item: _Travelling) -> Iterator[_Travelling]:
        """Pass one segment through one fault. What is no longer bytes, or held without end, passes by."""
        if item.departure.what is not Leaving.BYTES or item.time == math.inf:
            yield item
            return
        payload = item.departure.payload
        passing = Passing(payload, self.transport, self._direction, self._flow, stage.index, stage.offset)
        stage.index += 1
        stage.offset += len(payload)
        for request in stage.fault(passing, item.time, stage.random):
            yield _perform(request, item)


def _perform(request: Request, item: _Travelling) -> _Travelling:
    """What one request makes of a segment."""
    before = item.departure
    fate = ", ".join(filter(None, (before.fate, request.fate)))
    match request:
        case Forward(payload, _, original):
            return replace(item, departure=Departure(Leaving.BYTES, payload, fate, _first(before, payload, original)))
        case Hold(payload, seconds, _, original, behind):
            departure = Departure(Leaving.BYTES, payload, fate, _first(before, payload, original))
            return _Travelling(departure, item.time + seconds, behind or item.behind)
        case Drop():
            return replace(item, departure=Departure(Leaving.DROPPED, before.payload, fate))
        case Close():
            return replace(item, departure=Departure(Leaving.CLOSE, fate=fate))
        case Reset():
            return replace(item, departure=Departure(Leaving.RESET, fate=fate))


def _first(before: Departure, payload: memoryview, original: memoryview | None) -> memoryview | None:
    """What entered the wire, if several faults changed it; unknown once a later fault cut it into pieces."""
    if before.original is not None and (payload is before.payload or len(before.original) == len(payload)):
        return before.original
    return original
