"""Painting while keys wait: seldom, so that a burst of keys, or a slow machine, is caught up with soon.

Textual paints what each key changed before it takes the next. A whole screen costs more than most keys do, and nobody
sees a picture that stands for a few milliseconds.
"""

from __future__ import annotations

import time
from typing import TypeVar

from textual.app import App
from textual.screen import ModalScreen, Screen

SELDOM = 0.1
"""Seconds between two paints while keys wait, at least."""
SHARE = 10
"""Of the time, at most one part in so many goes into painting meanwhile."""

Result = TypeVar("Result")


class PaintsLate(App[None]):
    """An app whose screens know whether keys wait."""

    @property
    def waiting_keys(self) -> int:
        """How many keys wait for their turn."""
        return 0

    def get_default_screen(self) -> Screen[object]:
        """The screen below all others."""
        return LateScreen(id="_default")


class LateScreen(Screen[Result]):
    """A screen that is painted a few times a second while keys wait; layout, focus and styles follow each key."""

    _due = 0.0  # when the next paint may come, on the monotonic clock
    _later = False

    def _compositor_refresh(self) -> None:  # Textual's; where it should once not be called any more, all is painted
        app = self.app
        if not (isinstance(app, PaintsLate) and app.waiting_keys and self is app.screen):
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
    """The same, above another screen. Textual looks for styles along the first bases alone."""
