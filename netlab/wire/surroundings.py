"""What every relay needs around it: the loop, the capture, a clock, a chain of faults, and someone to tell."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from netlab.capture.model import Direction, Transport
from netlab.capture.writer import CaptureWriter
from netlab.wire.facts import Tell
from netlab.wire.faults.contract import Impairment
from netlab.wire.lane import Lane
from netlab.wire.loop import Loop


@dataclass(slots=True)
class Surroundings:
    """Shared by the relay and its flows. Times in the capture never go back: the epoch is read once."""

    loop: Loop
    writer: CaptureWriter
    tell: Tell
    chain: tuple[Impairment, ...] = ()
    seed: int = 0
    epoch_ns: int = field(default_factory=lambda: time.time_ns() - time.monotonic_ns())

    def time_ns(self) -> int:
        """The wire's clock: nanoseconds since the epoch."""
        return self.epoch_ns + time.monotonic_ns()

    def lane(self, transport: Transport, direction: Direction, flow: int) -> Lane | None:
        """The faults of one direction of a flow; None where none acts on it."""
        if not any(impairment.acts(direction) for impairment in self.chain):
            return None
        return Lane(self.chain, transport, direction, flow, self.seed)
