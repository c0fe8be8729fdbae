"""Paints less often while keys wait, so that the app catches up with a burst of keys or on a slow machine.

Textual paints after each key, before it takes the next. Painting a whole screen costs more than handling most keys, and
nobody sees a frame that lasts a few milliseconds.
"""

from __future__ import annotations

import time
from typing import TypeVar

from textual.app import App
from textual.reactive import Reactive
from textual.screen import ModalScreen, Screen
from textual.widget import Widget

SELDOM = 0.1
"""The shortest time between two paints while keys wait, in seconds."""
SHARE = 10
"""While keys wait, painting takes at most one part in this many of the time."""

Result = TypeVar("Result")


class LatePaintApp(App[None]):
    """An app whose screens can ask whether keys wait."""

    @property
    def waiting_keys(self) -> int:
        """How many keys wait for their turn."""
        return 0

    def get_default_screen(self) -> Screen[object]:
        """The bottom screen of the stack."""
        return LateScreen(id="_default")


class LateScreen(Screen[Result]):
    """A screen that is painted a few times a second while keys wait. Layout, focus and styles still follow each key."""

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
    """As Textual has it, but a focus that moves repaints what it changes, and not the whole screen."""

    _due = 0.0  # when the next paint may come, on the monotonic clock
    _later = False

    def _compositor_refresh(self) -> None:  # Textual's own; if Textual stops calling it, everything is painted at once
        app = self.app
        if not (isinstance(app, LatePaintApp) and app.waiting_keys and self is app.screen):
            self._paint()
        elif (now := time.monotonic()) >= self._due:
            self._paint()
            spent = time.monotonic() - now
            self._due = now + spent + max(SELDOM, spent * (SHARE - 1))
        elif not self._later:  # the compositor keeps the regions to paint until then
            self._later = True
            self.set_timer(self._due - now, self._catch_up)

    def _catch_up(self) -> None:
        self._later = False
        if self.is_current:
            self._compositor_refresh()

    def _paint(self) -> None:
        super()._compositor_refresh()


class LateModal(ModalScreen[Result], LateScreen[Result]):
    """The same for a modal screen. Textual looks for styles only along the first bases."""
