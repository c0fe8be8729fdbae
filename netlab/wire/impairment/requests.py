"""What a fault asks of the wire, for one segment that it was shown.

Requests are values; `netlab.wire.impairment.impairment_lane` performs them. ``fate`` says in a few words what was
done, for the wire list and the capture (``held 100 ms``); it is empty if nothing was.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Forward:
    """Pass these bytes on, now. ``original`` is what they were, where the fault changed them."""

    payload: memoryview
    fate: str = ""
    original: memoryview | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Pass these bytes on, but only after some seconds (``math.inf``: once the faults change).

    On a stream whatever follows waits behind them: order is kept. Datagrams overtake; with ``behind`` the hold also
    ends as soon as that many later datagrams have gone ahead.
    """

    payload: memoryview
    seconds: float
    fate: str = ""
    original: memoryview | None = None
    behind: int = 0


@dataclass(frozen=True, slots=True)
class Drop:
    """Let the segment go no further."""

    fate: str = "dropped"


@dataclass(frozen=True, slots=True)
class Close:
    """End the flow both ways as its ends would, once what was passed on before has left."""

    fate: str = "cut"


@dataclass(frozen=True, slots=True)
class Reset:
    """Break the flow off both ways, once what was passed on before has left. For datagrams: forget the flow."""

    fate: str = "reset"


Request = Forward | Hold | Drop | Close | Reset
