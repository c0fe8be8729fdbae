"""When a list that grows is drawn: at once, or in a flood now and then. It knows no widget."""

from __future__ import annotations

import time

FLOOD = 40
"""More new lines than this at one look are a flood."""
SECONDS = 0.5
"""How often a flood is drawn. Nobody reads a list that moves by hundreds of lines twenty times a second, but
everybody's keys would wait for it."""


class Pace:
    """Follows the length of one list."""

    def __init__(self) -> None:
        self._known = -1
        self._drawn = 0.0
        self.hurried = False
        """Whether what was drawn last was a flood."""

    def forget(self) -> None:
        """The list is another one: what it has is no flood."""
        self._known = -1

    def look(self, length: int) -> bool:
        """Whether to draw the list, now that it is so long."""
        flood = 0 <= self._known < length - FLOOD
        if length == self._known or (flood and time.monotonic() - self._drawn < SECONDS):
            return False
        self.drew(length, flood)
        return True

    def drew(self, length: int, flood: bool = False) -> None:
        """The list was drawn at this length."""
        self._known, self._drawn, self.hurried = length, time.monotonic(), flood

    def over(self) -> bool:
        """Whether a flood has just ended; told once."""
        ended = self.hurried and time.monotonic() - self._drawn >= SECONDS
        if ended:
            self.hurried = False
        return ended
