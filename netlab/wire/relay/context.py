"""What every relay needs around it: the loop, the capture, a clock, a chain of faults, and someone to tell."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from netlab.capture.model import Direction, Flow
from netlab.capture.writer import CaptureWriter
from netlab.wire.facts import Tell
from netlab.wire.impairment.fault import Impairment
from netlab.wire.impairment.impairment_lane import Lane
from netlab.wire.impairment.intercept import Gate, Intercept
from netlab.wire.loop import Loop


@dataclass(slots=True)
class Surroundings:
    """Shared by the relay and its flows. Times in the capture never go back: the epoch is read once."""

    loop: Loop
    writer: CaptureWriter
    tell: Tell
    chain: tuple[Impairment, ...] = ()
    seed: int = 0
    shows_target: bool = False
    """Whether the capture has the target as the server, as if clients had connected to it; else where they did."""
    epoch_ns: int = field(default_factory=lambda: time.time_ns() - time.monotonic_ns())
    intercept: Intercept = field(init=False)

    def __post_init__(self) -> None:
        self.intercept = Intercept(self.tell, self.time_ns)

    def time_ns(self) -> int:
        """The wire's clock: nanoseconds since the epoch."""
        return self.epoch_ns + time.monotonic_ns()

    def lane(self, flow: Flow, direction: Direction, wake: Callable[[], None], before: Lane | None) -> Lane | None:
        """The faults of one direction of a flow; None where nothing acts on it.

        What is held by hand in the lane ``before`` stays so in this one. ``wake`` is called once some of it may go on.
        """
        kept = before.gate if before is not None and before.gate is not None and not before.gate.empty else None
        gate = kept or (self.gate(flow, direction, wake) if self.intercept.matches else None)
        if gate is None and not any(impairment.acts(direction) for impairment in self.chain):
            return None
        lane = Lane(self.chain, flow.transport, direction, flow.number, self.seed, before)
        if before is not None:
            before.gate = None
        lane.gate = gate
        return lane

    def gate(self, flow: Flow, direction: Direction, wake: Callable[[], None]) -> Gate:
        """A place before the faults where segments can be held by hand."""
        return Gate(self.intercept, flow, direction, wake)

    def intercepted(self, lane: Lane | None, flow: Flow, direction: Direction, wake: Callable[[], None]) -> Lane | None:
        """The same lane as the filter for holding by hand wants it now: with a gate, or gone where it does nothing."""
        if lane is None:
            return self.lane(flow, direction, wake, None)
        if self.intercept.matches is None:
            return None if lane.idle else lane
        lane.gate = lane.gate or self.gate(flow, direction, wake)
        return lane
