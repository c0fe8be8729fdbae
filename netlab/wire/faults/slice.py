"""Cut a stream into small pieces, so that a message arrives in many."""

from __future__ import annotations

import math
from collections.abc import Iterable
from random import Random

from netlab.wire.impairment.fault import TCP_ONLY, Begin, FaultKind, Passing
from netlab.wire.impairment.quantities import one, size
from netlab.wire.impairment.requests import Forward, Hold, Request

GAP = 0.001
"""Seconds between two pieces: without it the receiver's kernel would put them together again."""
LONGEST = 0.5
"""Seconds that a segment is held at most: beyond them the gaps become shorter."""


class Slice:
    """Pieces of ``length`` bytes, a gap between each two, also where they are of different segments."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.free_at = -math.inf
        """The time of the next piece, if one comes before it."""

    def __call__(self, segment: Passing, clock: float, random: Random) -> Iterable[Request]:
        """Pass it on piece by piece."""
        payload = segment.payload
        count = -(-len(payload) // self.length)
        begin = max(clock, self.free_at)
        gap = min(GAP, max(0.0, clock + LONGEST - begin) / max(1, count))
        self.free_at = begin + gap * count
        if count < 2:
            yield Hold(payload, begin - clock) if begin > clock else Forward(payload)
            return
        for number in range(count):
            start = number * self.length
            fate = f"piece {number + 1} of {count}"
            yield Hold(payload[start : start + self.length], begin - clock + gap * number, fate)


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
    order=70,
)
