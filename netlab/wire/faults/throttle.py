"""Let no more than so many bytes a second through: a token bucket."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from netlab.capture.model import Transport
from netlab.wire.impairment.fault import Begin, FaultKind, Passing
from netlab.wire.impairment.quantities import one, size, time_in_words
from netlab.wire.impairment.requests import Hold, Request

BURST = 0.05
"""Seconds of the rate that may pass at once, and the size of the pieces that a stream is cut into."""
MOST_PIECES = 256


class Throttle:
    """A bucket of ``rate`` × `BURST` tokens, filled at ``rate`` a second; a byte takes one, and waits for it."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.depth = max(1.0, rate * BURST)
        self.free_at = 0.0
        """The time at which the bucket would be full again if nothing more came."""

    def __call__(self, segment: Passing, clock: float, random: Random) -> Iterable[Request]:
        """Hold each piece until its tokens are there; a datagram is one piece."""
        whole = len(segment.payload)
        step = max(1, int(self.depth), whole // MOST_PIECES) if segment.transport is Transport.TCP else max(1, whole)
        for start in range(0, max(1, whole), step):
            piece = segment.payload[start : start + step]
            self.free_at = max(self.free_at, clock) + len(piece) / self.rate
            held = max(0.0, self.free_at - self.depth / self.rate - clock)
            yield Hold(piece, held, f"held {time_in_words(held)}" if held else "")


def parse(words: list[str]) -> Begin:
    """``64KiB/s``; a fresh bucket for each direction of each flow."""
    rate = size(one(words, "bytes a second: throttle 64KiB/s").removesuffix("/s"))
    if rate < 1:
        raise ValueError("a throttle lets at least 1 byte a second through; to hold everything write stall")
    return lambda: Throttle(rate)


KIND = FaultKind("throttle", "SIZE/s", "64KiB/s", "so many bytes a second and no more", parse, order=60)
