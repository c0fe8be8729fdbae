"""What a fault requests of the wire for one segment.

Requests are values; `netlab.wire.impairment.impairment_lane` performs them. ``fate`` says in a few words what was
done, for the wire list and the capture (``held 100 ms``). It is for people: no code decides anything by it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Forward:
    """Pass these bytes on, now. ``original`` is what they were, if the fault changed them."""

    payload: memoryview
    fate: str = ""
    original: memoryview | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Pass these bytes on after some seconds (``math.inf``: once the faults change).

    On a stream everything that follows waits behind them: order is kept. Datagrams overtake; with ``behind`` the hold
    also ends as soon as that many later datagrams have gone ahead.
    """

    payload: memoryview
    seconds: float
    fate: str = ""
    original: memoryview | None = None
    behind: int = 0


@dataclass(frozen=True, slots=True)
class Drop:
    """Drop the segment."""

    fate: str = ""


@dataclass(frozen=True, slots=True)
class Close:
    """End the flow in both directions with FIN, after everything passed on before has left."""

    fate: str = "cut"


@dataclass(frozen=True, slots=True)
class Reset:
    """Reset the flow in both directions, after everything passed on before has left. For datagrams: forget the flow."""

    fate: str = "reset"


Request = Forward | Hold | Drop | Close | Reset
