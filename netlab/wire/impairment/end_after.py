"""The fault that lets so many bytes pass and then ends the flow, for the kinds that end it in their own way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from netlab.wire.impairment.fault import Passing
from netlab.wire.impairment.requests import Close, Forward, Request, Reset


@dataclass(frozen=True, slots=True)
class EndAfter:
    """End the flow by ``ending`` once ``passed`` bytes have gone this way."""

    passed: int
    ending: Close | Reset

    def __call__(self, segment: Passing, clock: float, random: Random) -> Iterable[Request]:
        """Pass on what may pass; at the first byte too many, end the flow."""
        free = max(0, self.passed - segment.offset)
        if free:
            yield Forward(segment.payload[:free])
        if free < len(segment.payload):
            yield self.ending
