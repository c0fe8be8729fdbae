"""Pass everything on later, each segment by a time of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from netlab.wire.impairment.fault import Begin, FaultKind, Passing
from netlab.wire.impairment.quantities import one, seconds, time_in_words
from netlab.wire.impairment.requests import Hold, Request


@dataclass(frozen=True, slots=True)
class Jitter:
    """Hold each segment for anything up to ``most`` seconds."""

    most: float

    def __call__(self, segment: Passing, clock: float, random: Random) -> Iterable[Request]:
        """Hold it."""
        held = random.uniform(0.0, self.most)
        return (Hold(segment.payload, held, f"held {time_in_words(held)}"),)


def parse(words: list[str]) -> Begin:
    """``50ms``."""
    fault = Jitter(seconds(one(words, "the longest time: jitter 50ms")))
    return lambda: fault


KIND = FaultKind(
    "jitter", "TIME", "50ms", "each segment arrives later by a time of its own, up to this", parse, order=20
)
