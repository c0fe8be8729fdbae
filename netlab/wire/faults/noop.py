"""The fault that does nothing. To write one that does, copy this file, and leave out ``offered=False``.

A fault sees each segment that comes its way and returns requests, in the order in which they are to be done:

- ``Forward(payload)`` passes bytes on. They may differ from those that came: other bytes, fewer, or several requests,
  one for each piece. Give ``original=segment.payload`` if bytes changed, so that the screen can show both.
- ``Hold(payload, seconds)`` passes them on later. What follows on a stream waits behind them; datagrams overtake.
- ``Drop()`` passes nothing on, and the capture records it; an empty answer passes nothing on silently.
- ``Close()`` ends the flow, ``Reset()`` breaks it off, after what was passed on before.

Say what you did in ``fate``, in a few words for a narrow column: ``held 100 ms``, ``bit 3 of byte 7 flipped``. Take the
time from ``clock`` and every choice from ``random``: then a run repeats exactly, and a test need not wait. Which
segments it acts on (``30%``, ``first 3``, ``every 2``) is chosen for it. What it must remember from segment to segment
goes into an object with ``__call__``.
"""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from netlab.wire.impairment.fault import Begin, FaultKind, Passing
from netlab.wire.impairment.requests import Forward, Request


def noop(segment: Passing, clock: float, random: Random) -> Iterable[Request]:
    """Pass everything on as it came."""
    return (Forward(segment.payload),)


def parse(words: list[str]) -> Begin:
    """What follows the name, without direction and choice: numbers, if the fault has any."""
    if words:
        raise ValueError("noop takes no numbers")
    return lambda: noop


KIND = FaultKind("noop", "", "", "nothing happens", parse, offered=False)
