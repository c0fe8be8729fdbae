"""Break the connection off: both sides get a reset."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from netlab.wire.impairment.fault import TCP_ONLY, Begin, FaultKind, Passing
from netlab.wire.impairment.quantities import after
from netlab.wire.impairment.requests import Forward, Request, Reset


@dataclass(frozen=True, slots=True)
class BreakOff:
    """Reset the flow once ``passed`` bytes have gone this way."""

    passed: int

    def __call__(self, segment: Passing, clock: float, random: Random) -> Iterable[Request]:
        """Pass on what may pass; at the first byte too many, reset."""
        free = max(0, self.passed - segment.offset)
        if free:
            yield Forward(segment.payload[:free])
        if free < len(segment.payload):
            yield Reset(f"reset after {self.passed} bytes")


def parse(words: list[str]) -> Begin:
    """``after 10``, or nothing for at once."""
    fault = BreakOff(after(words))
    return lambda: fault


KIND = FaultKind(
    "reset",
    "[after N]",
    "after 10",
    "the connection is reset after N bytes",
    parse,
    TCP_ONLY,
    "UDP has no connection that could be reset; loss 100% silences it",
)
