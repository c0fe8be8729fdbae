"""Lets something be done only while it takes less than a share of the time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

SHARE: Final = 0.02
"""How much of the time each kind of question may take."""


class Budget:
    """One kind of question to the kernel. ``every`` seconds at most, and less often the longer an answer takes."""

    def __init__(self, every: float) -> None:
        self._every, self._next, self._free = every, 0.0, 0.0
        self.spent = 0.0
        """Seconds so far."""

    @property
    def due(self) -> bool:
        """Whether it may be asked now."""
        return time.monotonic() >= self._next

    @property
    def affordable(self) -> bool:
        """Whether it may be asked before it is due."""
        return time.monotonic() >= self._free

    @contextmanager
    def spend(self) -> Iterator[None]:
        """Ask within this."""
        began = time.monotonic()
        try:
            yield
        finally:
            took = time.monotonic() - began
            self.spent += took
            self._free = began + took / SHARE
            self._next = max(began + self._every, self._free)
