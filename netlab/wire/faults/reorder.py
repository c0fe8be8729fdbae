"""Let later datagrams overtake."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from netlab.wire.impairment.fault import UDP_ONLY, Begin, FaultKind, Passing
from netlab.wire.impairment.requests import Hold, Request

LONGEST_WAIT = 1.0
"""Seconds after which a datagram goes on although nothing came to overtake it."""


@dataclass(frozen=True, slots=True)
class Reorder:
    """Hold a datagram until ``behind`` later ones have gone ahead."""

    behind: int

    def __call__(self, segment: Passing, clock: float, random: Random) -> Iterable[Request]:
        """Hold it."""
        return (Hold(segment.payload, LONGEST_WAIT, f"let {self.behind} ahead", behind=self.behind),)


def parse(words: list[str]) -> Begin:
    """How many go ahead; 1 for nothing."""
    if len(words) > 1 or (words and not (words[0].isdecimal() and 0 < int(words[0]) <= 1000)):
        raise ValueError("write how many datagrams go ahead, and of which: reorder 1 every 2")
    fault = Reorder(int(words[0]) if words else 1)
    return lambda: fault


KIND = FaultKind(
    "reorder",
    "[N]",
    "1 every 2",
    "a datagram waits until N later ones have gone ahead",
    parse,
    UDP_ONLY,
    "TCP puts its bytes in order again, so no program above it ever sees them reordered; UDP shows it",
    order=50,
)
