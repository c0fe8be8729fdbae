"""When a key or a pause of the pilot has had its effect: when the app has nothing left to do.

Textual's own pilot waits until the process uses less than one millisecond in twenty, for at most a second a key. An app
whose gauges are read all the time is seldom so idle, and on a busy machine each look takes longer.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from textual._context import active_app
from textual.app import App
from textual.message_pump import MessagePump
from textual.pilot import Pilot

from netlab.dissect.reading.meanings import How, Meanings
from netlab.ui.wire.wire_view import WireView

LEAST = 0.02
"""Seconds that each wait lasts, as in Textual's own: threads and timers get their turn."""

CALM = 4
"""In so many turns of the event loop nothing has begun."""

LOOKS = 4
"""Looks at the screen that have to be the same."""

AT_ONCE = 50
"""After so many turns it is a thread or a child that is waited for."""

AT_LEAST = 200
"""So many turns are waited for calm, however late it is: a machine that stood still for a second has handled no key."""


async def until_still(min_sleep: float = 0.0, max_sleep: float = 1.0) -> None:
    """Wait until the app is still, at most ``max_sleep`` seconds: what moves all the time is never still."""
    deadline = time.monotonic() + max_sleep
    await asyncio.sleep(max(min_sleep, LEAST))
    await until_calm(active_app.get(), deadline)


async def until_calm(app: App[Any], deadline: float) -> None:
    """Wait for turns of the event loop in which nothing begins; what moves all the time is left at the ``deadline``."""
    turns = calm = 0
    while calm < CALM and (turns < AT_LEAST or time.monotonic() < deadline):
        await asyncio.sleep(0 if turns < AT_ONCE else 0.002)
        turns += 1
        calm = calm + 1 if _still(app) else 0


async def until_unchanged(pilot: Pilot[None], max_sleep: float = 5.0) -> None:
    """Wait until no thread works for the screen and it looks the same several times in a row.

    After ``max_sleep`` seconds it is taken as it is.
    """
    looks, deadline = [pilot.app.export_screenshot()], time.monotonic() + max_sleep
    while len(looks) < LOOKS or (len(set(looks[-LOOKS:])) > 1 and time.monotonic() < deadline):
        await pilot.pause()
        if _is_read(pilot.app) and time.monotonic() < deadline:
            looks.clear()
            await asyncio.sleep(0.01)
        looks.append(pilot.app.export_screenshot())


def _is_read(app: App[Any]) -> bool:
    """Whether threads read, search or dissect what is on the screen, or are about to: lines may wait for their turn."""
    if any(not worker.is_finished for worker in app.workers):
        return True
    return any(_reads(view._how) for screen in app.screen_stack for view in screen.query(WireView))


def _reads(how: How) -> bool:
    return isinstance(how, Meanings) and any(meaning.wanted for meaning in how._flows.values())


def _still(app: App[Any]) -> bool:
    """Whether no message waits; all that is new is laid out then."""
    if app._exit or not app.screen_stack:
        return True
    screen = app.screen
    if _waits(app) or any(_waits(node) for node in screen.walk_children(with_self=True)):
        return False
    if screen._layout_required or screen._scroll_required or screen._repaint_required or screen._dirty_widgets:
        screen._on_timer_update()
        return bool(screen._dirty_widgets)  # they are to be painted later, on purpose
    return not screen._callbacks


def _waits(pump: MessagePump) -> bool:
    return bool(pump.message_queue_size or pump._next_callbacks)
