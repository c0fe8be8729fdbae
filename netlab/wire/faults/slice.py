"""Cut a stream into small pieces, so that a message arrives in many."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from netlab.wire.faults.contract import TCP_ONLY, Begin, FaultKind, Passing
from netlab.wire.faults.quantities import one, size
from netlab.wire.requests import Forward, Hold, Request

GAP = 0.001
"""Seconds between two pieces: without it the receiver's kernel would put them together again."""
LONGEST = 0.5
"""Seconds that the gaps of one segment may add up to."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Pieces of ``length`` bytes."""

    length: int

    def __call__(self, segment: Passing, clock: float, random: Random) -> Iterable[Request]:
        """Pass it on piece by piece."""
        payload = segment.payload
        starts = range(0, len(payload), self.length)
        if len(starts) < 2:
            yield Forward(payload)
            return
        gap = min(GAP, LONGEST / len(starts))
        for number, start in enumerate(starts, 1):
            fate = f"piece {number} of {len(starts)}"
            yield Hold(payload[start : start + self.length], gap * (number - 1), fate)


def parse(words: list[str]) -> Begin:
    """``8``, in bytes."""
    length = size(one(words, "the length of the pieces: slice 8"))
    if length < 1:
        raise ValueError("a piece has at least 1 byte")
    return lambda: Slice(length)


KIND = FaultKind(
    "slice",
    "N",
    "1",
    "the stream arrives in pieces of N bytes",
    parse,
    TCP_ONLY,
    "a datagram arrives whole or not at all, so there is nothing to slice; try loss or corrupt",
)
