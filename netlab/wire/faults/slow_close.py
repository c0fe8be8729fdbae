"""Let the end of a stream come late: all bytes are there, and the peer still waits for more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from netlab.wire.impairment.fault import TCP_ONLY, Begin, FaultKind, Passing
from netlab.wire.impairment.quantities import one, seconds, time_in_words
from netlab.wire.impairment.requests import Forward, Hold, Request


@dataclass(frozen=True, slots=True)
class SlowClose:
    """Hold the end for ``time`` seconds, and nothing else."""

    time: float
    fate: str

    def __call__(self, segment: Passing, clock: float, random: Random) -> Iterable[Request]:
        """Pass bytes on; hold the end."""
        return (Hold(segment.payload, self.time, self.fate),) if segment.is_end else (Forward(segment.payload),)


def parse(words: list[str]) -> Begin:
    """``2s``."""
    time = seconds(one(words, "a time: slow_close 2s"))
    fault = SlowClose(time, f"held {time_in_words(time)}")
    return lambda: fault


KIND = FaultKind(
    "slow_close",
    "TIME",
    "2s",
    "the end of the stream arrives later, its bytes in time",
    parse,
    TCP_ONLY,
    "UDP has no connection that could end",
    of_the_end=True,
    order=95,
)
