"""Break the connection off: both sides get a reset."""

from __future__ import annotations

from netlab.wire.impairment.end_after import EndAfter
from netlab.wire.impairment.fault import TCP_ONLY, Begin, FaultKind
from netlab.wire.impairment.quantities import after
from netlab.wire.impairment.requests import Reset


def parse(words: list[str]) -> Begin:
    """``after 10``, or nothing for at once."""
    passed = after(words)
    fault = EndAfter(passed, Reset(f"reset after {passed} bytes"))
    return lambda: fault


KIND = FaultKind(
    "reset",
    "[after N]",
    "after 10",
    "the connection is reset after N bytes",
    parse,
    TCP_ONLY,
    "UDP has no connection that could be reset; loss 100% silences it",
    order=110,
)
