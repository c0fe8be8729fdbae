"""The engine: shows each segment of one direction of one flow to the chain of faults, and performs what they ask.

It decides what leaves and when, and does no I/O: bytes and a clock go in (`Lane.enter`), departures come out
(`Lane.leave`). A wire without faults does not use it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from random import Random
from typing import Final

from netlab.capture.model import Direction, Transport
from netlab.wire.impairment.fault import Fault, Impairment, Passing
from netlab.wire.impairment.intercept import PIECE, Gate
from netlab.wire.impairment.queues import EVERYTHING, OrderedQueue, OvertakingQueue, Queue
from netlab.wire.impairment.requests import Close, Drop, Forward, Hold, Request, Reset

REPLAYED: Final = "replayed"
"""The fate of bytes that left although they did not come."""
_NOTHING = memoryview(b"")


class Leaving(Enum):
    """What a departure is."""

    BYTES = "bytes"
    DROPPED = "dropped"
    """Goes no further; the capture is told."""
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
    """A departure on its way through the chain: when it gets to where it is."""

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


class Lane:
    """One direction of one flow under faults, and before them a gate where segments are held by hand, if there is one.

    Lanes of streams let nothing overtake. Each fault has its own random source, made of ``seed``, its place in the
    chain, flow and direction: so a run repeats whatever else goes on. What was in the lane ``before`` too goes on as it
    is, with its counts and clocks. Times are the caller's clock, in seconds.
    """

    def __init__(
        self,
        chain: Sequence[Impairment],
        transport: Transport,
        direction: Direction,
        flow: int,
        seed: int = 0,
        before: Lane | None = None,
    ) -> None:
        self._transport, self._direction, self._flow = transport, direction, flow
        kept = {id(stage.impairment): stage for stage in before._stages} if before is not None else {}
        self._stages: list[_Stage] = [
            kept.get(id(impairment))
            or _Stage(impairment, impairment.begin(), Random(f"{seed}/{place}/{flow}/{direction.name}"))
            for place, impairment in enumerate(chain)
            if impairment.acts(direction)
        ]
        self.gate: Gate | None = None
        self._inside = 0
        self._over = False
        self._queue: Queue[Departure] = OrderedQueue() if transport is Transport.TCP else OvertakingQueue()

    @property
    def held(self) -> int:
        """What is inside, in bytes; each piece counts `PIECE` more, so that many small ones are bounded too."""
        return self._inside + (self.gate.weight if self.gate is not None else 0)

    def enter(self, payload: bytes, clock: float, fate: str = "") -> None:
        """A segment comes in; ``fate`` says what was done to it before. After `Close` or `Reset` nothing does."""
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
        """The sender says no more: its end leaves after everything that came before, and is held like bytes."""
        if not self._over and not (self.gate is not None and self.gate.stops_end()):
            self._over = True
            self._inside += PIECE
            self._queue.put(Departure(Leaving.FIN), self._end_time(clock))

    def leave(self, clock: float, most: int = EVERYTHING) -> list[Departure]:
        """What leaves by now, in order, about so many at most; never to be asked for again."""
        if self.gate is not None:
            self._let_through(self.gate, clock)
        departures = self._queue.take(clock, most)
        self._inside -= sum(len(departure.payload) + PIECE for departure in departures)
        return departures

    def _let_through(self, gate: Gate, clock: float) -> None:
        """What a person let go on meets the faults now."""
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
        self._queue.release()

    @property
    def next_release(self) -> float:
        """When something leaves next; infinity for never."""
        return self._queue.next_release

    @property
    def empty(self) -> bool:
        """Whether nothing is inside."""
        return not len(self._queue) and (self.gate is None or self.gate.empty)

    @property
    def idle(self) -> bool:
        """Whether it does nothing that is not done without it."""
        return not self._stages and self.empty

    def discard(self) -> None:
        """The flow is over: forget what is inside."""
        if self.gate is not None:
            self.gate.discard()

    def _end_time(self, clock: float) -> float:
        """When the end leaves: each fault is shown an empty segment, and asked for nothing but how long it holds it."""
        for stage in self._stages:
            passing = Passing(_NOTHING, self._transport, self._direction, self._flow, stage.index, stage.offset)
            requests = stage.fault(passing, clock, stage.random)
            clock += max((request.seconds for request in requests if isinstance(request, Hold)), default=0.0)
            if clock == math.inf:
                break
        return clock

    def _put(self, item: _Travelling) -> None:
        if self._over:
            return
        self._over = item.departure.what in (Leaving.CLOSE, Leaving.RESET)
        self._inside += len(item.departure.payload) + PIECE
        self._queue.put(item.departure, item.time, item.behind)

    def _pass(self, stage: _Stage, item: _Travelling) -> Iterator[_Travelling]:
        """One segment through one fault. What is no bytes any more, or held without end, passes by."""
        if item.departure.what is not Leaving.BYTES or item.time == math.inf:
            yield item
            return
        payload = item.departure.payload
        passing = Passing(payload, self._transport, self._direction, self._flow, stage.index, stage.offset)
        stage.index += 1
        stage.offset += len(payload)
        for request in stage.fault(passing, item.time, stage.random):
            yield _perform(request, item)


def _perform(request: Request, item: _Travelling) -> _Travelling:
    """What becomes of a segment by one request."""
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
    """What entered the wire, where several faults changed it; unknown once a later fault cut it to pieces."""
    if before.original is not None and (payload is before.payload or len(before.original) == len(payload)):
        return before.original
    return original
