"""When a growing list is drawn: at once, a few times a second, or in a flood once a second. It knows no widget."""

from __future__ import annotations

import time

OFTEN, AT_ONCE = 10, 4
"""A growing list is drawn this many times a second; the first few times at once."""
FLOOD, FEW = 400, 40
"""More new lines per second than the first, and more at once than the second, are a flood."""
LULL = 0.15
"""Seconds without a new line that end a flood."""
SECONDS = 1.0
"""Seconds between two draws in a flood. Nobody can read hundreds of new lines a second, but keys would have to wait."""


class RedrawRate:
    """Follows the length of one list. Times are from the monotonic clock."""

    def __init__(self) -> None:
        self._known, self._seen = -1, -1
        self._drawn = self._grew = 0.0
        self._recent = 0.0  # recent draws, which fade with time
        self._highlight_due = False
        self.flooded = False
        """Whether the last draw was in a flood."""

    def forget(self) -> None:
        """The list was replaced: its lines are not a flood."""
        self._known = -1

    def look(self, length: int) -> bool:
        """Whether to draw the list at this length. Call it many times a second."""
        now = time.monotonic()
        if length != self._seen:
            self._seen, self._grew = length, now
        if length == self._known:
            return False
        since = now - self._drawn
        flood = 0 <= self._known < length - FEW - since * FLOOD and now - self._grew < LULL
        if since < SECONDS if flood else self._recent - since * OFTEN > AT_ONCE:
            return False
        self.drew(length, flood)
        return True

    def drew(self, length: int, flood: bool = False) -> None:
        """Record that the list was drawn at this length."""
        now = time.monotonic()
        self._recent = max(self._recent - (now - self._drawn) * OFTEN, 0) + 1
        self._known, self._drawn, self.flooded, self._highlight_due = length, now, flood, flood

    def highlight_is_due(self) -> bool:
        """Whether to report the highlighted line now: in a flood halfway between two draws, because both at once would
        delay a key, and again when the flood is over."""
        since = time.monotonic() - self._drawn
        if self._highlight_due and since >= SECONDS / 2:
            self._highlight_due = False
            return True
        ended = self.flooded and since >= SECONDS
        self.flooded = self.flooded and not ended
        return ended
