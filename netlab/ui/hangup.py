"""Notices that the terminal is gone, where no signal says so."""

from __future__ import annotations

import asyncio
import select
import sys
from collections.abc import Callable

HANGUP = 1
"""The number of SIGHUP, also where the system has none."""
PATROL = 0.5
"""Seconds between two looks."""


async def hung_up(end: Callable[[], None]) -> None:
    """Call ``end`` once the terminal at standard input is gone.

    A process gets SIGHUP only from the terminal that controls it; at any other, Textual 8.2.8 would read the end of the
    input again and again, for ever.
    """
    if not hasattr(select, "poll"):  # as on Windows
        return
    terminal = select.poll()
    terminal.register(sys.stdin, 0)  # that it is gone is told without being asked for
    while not terminal.poll(0):
        await asyncio.sleep(PATROL)
    end()
