"""What every relay works with: the loop, the capture, a clock, a chain of faults, and a listener for its facts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from netlab.capture.model import Direction, Flow
from netlab.capture.writer import CaptureWriter
from netlab.wire.facts import Report
from netlab.wire.impairment.fault import Impairment
from netlab.wire.impairment.impairment_lane import ImpairmentLane
from netlab.wire.impairment.intercept import Gate, Intercept
from netlab.wire.loop import Loop


@dataclass(slots=True)
class Context:
    """Shared by the relay and its flows. Times in the capture never go back: the epoch is read once."""

    loop: Loop
    writer: CaptureWriter
    report: Report
    chain: tuple[Impairment, ...] = ()
    seed: int = 0
    shows_target: bool = False
    """Whether the capture has the target as the server, as if clients had connected to it; else where they did."""
    epoch_ns: int = field(default_factory=lambda: time.time_ns() - time.monotonic_ns())
    intercept: Intercept = field(init=False)

    def __post_init__(self) -> None:
        self.intercept = Intercept(self.report, self.time_ns)

    def time_ns(self) -> int:
        """The wire's clock: nanoseconds since the epoch."""
        return self.epoch_ns + time.monotonic_ns()

    def lane(
        self, flow: Flow, direction: Direction, wake: Callable[[], None], before: ImpairmentLane | None
    ) -> ImpairmentLane | None:
        """The faults of one direction of a flow; None if nothing acts on it.

        What is held by hand in the lane ``before`` stays held. ``wake`` is called once some of it may go on.
        """
        kept = before.gate if before is not None and before.gate is not None and not before.gate.empty else None
        gate = kept or (self.gate(flow, direction, wake) if self.intercept.matches else None)
        if gate is None and not any(impairment.acts(direction) for impairment in self.chain):
            return None
        lane = ImpairmentLane(self.chain, flow.transport, direction, flow.number, self.seed, before)
        if before is not None:
            before.gate = None
        lane.gate = gate
        return lane

    def gate(self, flow: Flow, direction: Direction, wake: Callable[[], None]) -> Gate:
        """A place before the faults where segments can be held by hand."""
        return Gate(self.intercept, flow, direction, wake)

    def intercepted(
        self, lane: ImpairmentLane | None, flow: Flow, direction: Direction, wake: Callable[[], None]
    ) -> ImpairmentLane | None:
        """The same lane, with a gate if segments are to be held by hand; None if it would do nothing."""
        if lane is None:
            return self.lane(flow, direction, wake, None)
        if self.intercept.matches is None:
            return None if lane.idle else lane
        lane.gate = lane.gate or self.gate(flow, direction, wake)
        return lane
