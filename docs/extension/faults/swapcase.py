"""Turn capital letters into small ones, and small ones into capitals."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from netlab.wire.impairment.fault import Begin, FaultKind, Passing
from netlab.wire.impairment.requests import Forward, Request


def swapcase(segment: Passing, clock: float, random: Random) -> Iterable[Request]:
    """Change the letters of a segment; its length stays the same."""
    changed = bytes(segment.payload).swapcase()
    return (Forward(memoryview(changed), "case swapped", segment.payload),)


def parse(words: list[str]) -> Begin:
    """It takes no numbers."""
    if words:
        raise ValueError("swapcase takes no numbers")
    return lambda: swapcase


KIND = FaultKind("swapcase", "", "", "capital letters become small ones, and small ones capitals", parse, order=120)
