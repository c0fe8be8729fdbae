"""End the connection in the middle: what was passed on arrives, then both sides read the end."""

from __future__ import annotations

from netlab.wire.impairment.end_after import EndAfter
from netlab.wire.impairment.fault import TCP_ONLY, Begin, FaultKind
from netlab.wire.impairment.quantities import after
from netlab.wire.impairment.requests import Close


def parse(words: list[str]) -> Begin:
    """``after 10``, or nothing for at once."""
    passed = after(words)
    fault = EndAfter(passed, Close(f"cut after {passed} bytes"))
    return lambda: fault


KIND = FaultKind(
    "cut",
    "[after N]",
    "after 10",
    "the connection ends after N bytes, wherever that is",
    parse,
    TCP_ONLY,
    "UDP has no connection that could be cut; loss 100% silences it",
    order=100,
)
