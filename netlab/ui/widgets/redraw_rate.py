"""When a list that grows is drawn: at once, a few times a second, or in a flood once a second. It knows no widget."""

from __future__ import annotations

import time

OFTEN, AT_ONCE = 10, 4
"""A list that goes on growing is drawn so many times a second; the first few times at once."""
FLOOD, FEW = 400, 40
"""More new lines a second than this, and more than a few, are a flood."""
LULL = 0.15
"""Seconds without a new line that end a flood."""
SECONDS = 1.0
"""How often a flood is drawn. Nobody reads a list that moves by hundreds of lines, but everybody's keys would wait."""


class Pace:
    """Follows the length of one list. Times are those of the monotonic clock."""

    def __init__(self) -> None:
        self._known, self._seen = -1, -1
        self._drawn = self._grew = 0.0
        self._recent = 0.0  # times drawn, less those that are forgotten by now
        self._untold = False
        self.hurried = False
        """Whether what was drawn last was a flood."""

    def forget(self) -> None:
        """The list is another one: what it has is no flood."""
        self._known = -1

    def look(self, length: int) -> bool:
        """Whether to draw the list, now that it is so long. To be asked many times a second."""
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
        """The list was drawn at this length."""
        now = time.monotonic()
        self._recent = max(self._recent - (now - self._drawn) * OFTEN, 0) + 1
        self._known, self._drawn, self.hurried, self._untold = length, now, flood, flood

    def tells(self) -> bool:
        """Whether the highlighted line is to be told now: in a flood between two times that the list is drawn, because
        both at once would keep a key waiting, and once more when it is over."""
        since = time.monotonic() - self._drawn
        if self._untold and since >= SECONDS / 2:
            self._untold = False
            return True
        ended = self.hurried and since >= SECONDS
        self.hurried = self.hurried and not ended
        return ended
