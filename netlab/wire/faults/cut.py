"""End the connection in the middle: what was passed on arrives, then both sides read the end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from netlab.wire.impairment.fault import TCP_ONLY, Begin, FaultKind, Passing
from netlab.wire.impairment.quantities import after
from netlab.wire.impairment.requests import Close, Forward, Request


@dataclass(frozen=True, slots=True)
class Cut:
    """Close the flow once ``passed`` bytes have gone this way."""

    passed: int

    def __call__(self, segment: Passing, clock: float, random: Random) -> Iterable[Request]:
        """Pass on what may pass; at the first byte too many, close."""
        free = max(0, self.passed - segment.offset)
        if free:
            yield Forward(segment.payload[:free])
        if free < len(segment.payload):
            yield Close(f"cut after {self.passed} bytes")


def parse(words: list[str]) -> Begin:
    """``after 10``, or nothing for at once."""
    fault = Cut(after(words))
    return lambda: fault


KIND = FaultKind(
    "cut",
    "[after N]",
    "after 10",
    "the connection ends after N bytes, wherever that is",
    parse,
    TCP_ONLY,
    "UDP has no connection that could be cut; loss 100% silences it",
)
