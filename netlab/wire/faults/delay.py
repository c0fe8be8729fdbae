"""Pass everything on later by a fixed time, give or take."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from netlab.wire.impairment.fault import Begin, FaultKind, Passing
from netlab.wire.impairment.quantities import one, seconds, time_in_words
from netlab.wire.impairment.requests import Hold, Request


@dataclass(frozen=True, slots=True)
class Delay:
    """Hold each segment for ``base`` seconds, ``spread`` more or less."""

    base: float
    spread: float

    def __call__(self, segment: Passing, clock: float, random: Random) -> Iterable[Request]:
        """Hold it."""
        held = max(0.0, self.base + random.uniform(-self.spread, self.spread))
        return (Hold(segment.payload, held, f"held {time_in_words(held)}"),)


def parse(words: list[str]) -> Begin:
    """``100ms`` or ``100ms±20ms``."""
    base, _, spread = one(words, "a time: delay 100ms or delay 100ms±20ms").replace("+-", "±").partition("±")
    fault = Delay(seconds(base), seconds(spread) if spread else 0.0)
    return lambda: fault


KIND = FaultKind(
    "delay", "TIME[±TIME]", "100ms", "each segment arrives later; order is kept on a stream", parse, order=10
)
