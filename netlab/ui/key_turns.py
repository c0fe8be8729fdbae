"""Keys that come right behind one that opens something to type into wait for it, however fast one types.

Textual hands a key to whoever has the focus when the app reads it, and looks for commands when it has come back up to
the app. Of ``/Hello`` in one burst the letters would be commands, since the focus moves only after a refresh.
"""

from __future__ import annotations

from textual import events
from textual.app import App
from textual.timer import Timer
from textual.widget import Widget

PATIENCE = 0.5
"""Seconds that keys wait at most: what was to open may not have."""


class KeyTurns(App[None]):
    """An app in which keys can wait for a widget."""

    def __init__(self) -> None:
        super().__init__()
        self._late: list[events.Key] = []
        self._opening: type[Widget] | Widget | None = None
        self._patience: Timer | None = None

    def let_keys_wait(self, opening: Widget | type[Widget]) -> None:
        """Let the keys that come from now on wait until this widget, or one of this kind, has the focus."""
        if isinstance(opening, type) or not opening.has_focus:
            self._opening = opening
            self._forget_patience()
            self._patience = self.set_timer(PATIENCE, self._hand_over)

    def _forget_patience(self) -> None:
        """Forget how long was to be waited."""
        if self._patience is not None:
            self._patience.stop()
            self._patience = None

    async def on_event(self, event: events.Event) -> None:
        """Keep a key that has to wait, be it new or back from where the focus was."""
        if self._opening is None or not isinstance(event, events.Key):
            await super().on_event(event)
            return
        event.stop()
        event.prevent_default()
        self._late.append(event)

    async def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """What the keys waited for has the focus."""
        opening = self._opening
        if opening is event.widget or (isinstance(opening, type) and isinstance(event.widget, opening)):
            await self._hand_over()

    async def _hand_over(self) -> None:
        """All that waited, in the order in which they were pressed."""
        self._forget_patience()
        self._opening, late, self._late = None, self._late, []
        for key in sorted(late, key=lambda key: key.time):
            await self.on_event(events.Key(key.key, key.character))


def let_keys_wait(app: App[object], opening: Widget | type[Widget]) -> None:
    """Let the keys wait for what is about to have the focus, where the app knows how to."""
    if isinstance(app, KeyTurns):
        app.let_keys_wait(opening)
