"""Let nothing through for a while, or until the fault is cleared: what loss looks like above TCP."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from netlab.wire.faults.contract import Begin, FaultKind, Passing
from netlab.wire.faults.quantities import after, seconds, time_in_words
from netlab.wire.requests import Forward, Hold, Request


@dataclass(frozen=True, slots=True)
class Stall:
    """Hold whatever comes after ``passed`` bytes, for ``time`` seconds (infinity: until the faults change)."""

    time: float
    passed: int

    def __call__(self, segment: Passing, clock: float, random: Random) -> Iterable[Request]:
        """Pass on what may pass, and hold the rest."""
        free = max(0, self.passed - segment.offset)
        fate = "stalled" if self.time == math.inf else f"stalled {time_in_words(self.time)}"
        if free:
            yield Forward(segment.payload[:free])
        if free < len(segment.payload) or not segment.payload:
            yield Hold(segment.payload[free:], self.time, fate)


def parse(words: list[str]) -> Begin:
    """``2s``, ``after 100``, both or nothing."""
    timed = bool(words) and words[0] != "after"
    fault = Stall(seconds(words[0]) if timed else math.inf, after(words[1:] if timed else words))
    return lambda: fault


KIND = FaultKind("stall", "[TIME] [after N]", "2s", "nothing gets through for a while, or until cleared", parse)
