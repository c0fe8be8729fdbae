"""Let datagrams go missing."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from netlab.wire.impairment.fault import UDP_ONLY, Begin, FaultKind, Passing
from netlab.wire.impairment.requests import Drop, Request


def lose(segment: Passing, clock: float, random: Random) -> Iterable[Request]:
    """Drop it."""
    return (Drop(),)


def parse(words: list[str]) -> Begin:
    """No numbers of its own: which datagrams are lost is said by ``30%``, ``first 2`` or ``every 3``."""
    if words:
        raise ValueError("write which datagrams are lost: loss 30%, loss first 2 or loss every 3")
    return lambda: lose


KIND = FaultKind(
    "loss",
    "",
    "30%",
    "datagrams go missing",
    parse,
    UDP_ONLY,
    "TCP sends lost bytes again, so above it a loss is only a wait, and dropping bytes from its stream would be a lie; "
    "try stall 2s, which is what loss looks like above TCP, or cut",
    order=30,
)
