"""Let nothing through for a while, once, or until the fault is cleared: what loss looks like above TCP."""

from __future__ import annotations

import math
from collections.abc import Iterable
from random import Random

from netlab.wire.impairment.fault import Begin, FaultKind, Passing
from netlab.wire.impairment.quantities import after, seconds, time_in_words
from netlab.wire.impairment.requests import Forward, Hold, Request


class Stall:
    """One pause of ``time`` seconds (infinity: until the faults change), begun by the first byte after ``passed``.

    Everything that comes in the pause waits for its end; what comes after it is free. Where segments were chosen, each
    chosen one that comes outside a pause begins one.
    """

    def __init__(self, time: float, passed: int) -> None:
        self.time, self.passed = time, passed
        self.until: float | None = None
        """When the pause ends; None before the first."""

    def __call__(self, segment: Passing, clock: float, random: Random) -> Iterable[Request]:
        """Pass on what may pass, and hold the rest while the pause lasts."""
        free = max(0, self.passed - segment.offset)
        if free:
            yield Forward(segment.payload[:free])
        if free and free >= len(segment.payload):
            return
        held = self._pause(segment.chosen, clock)
        rest = segment.payload[free:]
        if held:
            yield Hold(rest, held, "stalled" if held == math.inf else f"stalled {time_in_words(held)}")
        else:
            yield Forward(rest)

    def _pause(self, chosen: bool | None, clock: float) -> float:
        """How long the pause still lasts, which perhaps begins now; 0 outside one."""
        begins = self.until is None if chosen is None else chosen
        if begins and (self.until is None or self.until <= clock):
            self.until = clock + self.time
        return max(0.0, self.until - clock) if self.until is not None else 0.0


def parse(words: list[str]) -> Begin:
    """``2s``, ``after 100``, both or nothing."""
    timed = bool(words) and words[0] != "after"
    time, passed = seconds(words[0]) if timed else math.inf, after(words[1:] if timed else words)
    return lambda: Stall(time, passed)


KIND = FaultKind(
    "stall",
    "[TIME] [after N]",
    "2s",
    "one pause, then free; without a time until cleared",
    parse,
    sees_all=True,
    order=90,
)
