"""A load's clock, and waiting that is exact to some microseconds where the system can do that."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from pathlib import Path


class Clock:
    """Seconds since the run's start; negative before it."""

    def __init__(self) -> None:
        self.zero = time.perf_counter()

    def start(self) -> None:
        """Now is 0."""
        self.zero = time.perf_counter()

    def now(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self.zero


def wake_exactly() -> None:
    """Let the kernel wake this process when it asked for: by default it may be 50 µs later (timerslack, prctl(2))."""
    if sys.platform == "linux":
        with suppress(OSError):
            Path("/proc/self/timerslack_ns").write_text("1")
