"""Waiting for what other threads, processes and the screen do: on a condition, with a deadline, never for a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from netlab.lab.client.session import Session

PATIENCE = 20.0
"""Seconds within which whatever a test waits for must have happened, however busy the machine is."""

CALMING = 1.0
"""Seconds for an app to do what belongs to a condition that holds already; what moves all the time is never calm."""

T = TypeVar("T")


def wait_until(condition: Callable[[], T], what: str = "", seconds: float = PATIENCE) -> T:
    """Wait for the condition's first true value and return it; `AssertionError` at the deadline."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"never: {what or condition}"
        time.sleep(0.002)
    return value


async def until(pilot: Pilot[None], condition: Callable[[], object], what: str = "", seconds: float = PATIENCE) -> None:
    """Wait until the condition holds, while the app runs, and until it has done all that belongs to it."""
    if condition():
        from tests.support.screen.stillness import until_calm  # late: most tests that wait have no screen

        await until_calm(pilot.app, time.monotonic() + CALMING)
        return
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"never: {what or condition}\n{_seen(pilot)}"
        await asyncio.sleep(0.005)
    await pilot.pause()


def _seen(pilot: Pilot[None]) -> str:
    """The screen as text and what has the focus: a failure that is rare is not seen twice."""
    app = pilot.app
    if not app.screen_stack:
        return "no screen"
    lines = ["".join(segment.text for segment in strip).rstrip() for strip in app.screen._compositor.render_strips()]
    return "\n".join([f"focus: {app.focused!r}, screens: {app.screen_stack!r}", *lines])


def waits_in(session: Session) -> str:
    """Where the session's call waits; nothing while none runs. The session's thread may end it at any moment."""
    busy = session.busy
    return busy.place if busy is not None else ""


def waits_for(session: Session) -> str:
    """What the session's call waits for; nothing while none runs."""
    busy = session.busy
    return busy.text if busy is not None else ""
