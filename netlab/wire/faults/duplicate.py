"""Let datagrams arrive twice."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from netlab.wire.impairment.fault import UDP_ONLY, Begin, FaultKind, Passing
from netlab.wire.impairment.requests import Forward, Request


def twice(segment: Passing, clock: float, random: Random) -> Iterable[Request]:
    """Pass it on, and once more."""
    return (Forward(segment.payload), Forward(segment.payload, "duplicate"))


def parse(words: list[str]) -> Begin:
    """No numbers of its own."""
    if words:
        raise ValueError("write which datagrams come twice: duplicate 30%, duplicate first 2 or duplicate every 3")
    return lambda: twice


KIND = FaultKind(
    "duplicate",
    "",
    "30%",
    "datagrams arrive twice",
    parse,
    UDP_ONLY,
    "TCP throws away what comes twice, so no program above it ever sees a duplicate; UDP shows it",
    order=40,
)
