"""The progress of a load on standard error: one line that changes on a terminal, else a line each second."""

from __future__ import annotations

import sys
from contextlib import suppress

from netlab.load.load_text import time_text
from netlab.load.points import INTERVAL, Point

EVERY = 1.0
"""Seconds between two lines where they do not replace each other."""


class LoadProgress:
    """Gets each point, in any thread. Leaving it clears the line of a terminal."""

    def __init__(self, name: str, seconds: float) -> None:
        self._name, self._seconds = name, seconds
        self._replaces = sys.stderr.isatty()
        self._next = 0.0 if self._replaces else EVERY
        self._errors = 0

    def __enter__(self) -> LoadProgress:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._replaces:
            self._write("\r\x1b[K")

    def __call__(self, point: Point) -> None:
        """Show where the load is."""
        self._errors += sum(point.errors.values())
        if point.at + INTERVAL / 2 < self._next:
            return
        self._next = point.at + (INTERVAL if self._replaces else EVERY)
        text = self._text(point)
        self._write(f"\r{text[:78]}\x1b[K" if self._replaces else f"{text}\n")

    def _text(self, point: Point) -> str:
        parts = [
            f"{self._name}: {self._where(point)}",
            f"{point.done / INTERVAL:,.0f}/s",
            f"p99 {time_text(point.p99)}",
            f"{point.waiting:,} waiting" if point.waiting else "",
            f"{self._errors:,} errors" if self._errors else "",
        ]
        return ", ".join(filter(None, parts))

    def _where(self, point: Point) -> str:
        if point.at > self._seconds + INTERVAL:
            return f"{point.in_flight:,} last answers to come"
        return f"{min(point.at, self._seconds):.1f} of {self._seconds:g} s"

    @staticmethod
    def _write(text: str) -> None:
        with suppress(OSError, ValueError):  # nobody reads it
            sys.stderr.write(text)
            sys.stderr.flush()
