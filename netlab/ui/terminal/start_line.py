"""The line in a tab until its panes are mounted: that the lab is starting, then where it serves."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget

PERIOD = 0.02
"""Seconds between two checks."""


class StartLine(Widget):
    """The start of the status line, in the same place."""

    DEFAULT_CSS = """
    StartLine { height: 1; padding: 0 1; background: $panel; color: $foreground; }
    """

    def __init__(self, serving: Callable[[], str], model: str) -> None:
        """``serving`` returns the address as text, empty until the lab serves."""
        super().__init__()
        self._serving, self._model = serving, model
        self._timer: Timer | None = None

    def on_mount(self) -> None:
        """Check until the lab serves."""
        if not self._serving():
            self._timer = self.set_interval(PERIOD, self._look)

    def _look(self) -> None:
        if self._timer is not None and self._serving():
            self._timer.stop()
            self.refresh()

    def render(self) -> Content:
        """The line."""
        at = self._serving()
        phase = (f"● serving {at}", "bold $text-success") if at else ("◔ starting", "$text-warning")
        return Content.assemble(phase, f"  model {self._model}")
