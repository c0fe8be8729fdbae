"""Sorts the segments that a filter lets through from those that it does not, a little at a time.

Millions of segments take seconds: `FilterScan.step` stops at its deadline and goes on where it stopped.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from time import perf_counter

from netlab.capture.model import Segment
from netlab.capture.view import CapturedSegments

Test = Callable[[Segment], bool]
_BATCH = 64


class FilterScan:
    """``rows`` grows by the indices of the segments that passed; ``scanned`` of the capture's have been looked at."""

    def __init__(self, capture: CapturedSegments, passes: Test, text: str) -> None:
        self.rows = array("L")
        self.scanned = 0
        self.text = text
        self._capture = capture
        self._passes = passes

    @property
    def remaining(self) -> int:
        """Segments not looked at yet."""
        return len(self._capture.segments) - self.scanned

    @property
    def counts(self) -> str:
        """``12 of 345 shown``, and how far it is while it is not there yet."""
        words = f"{len(self.rows)} of {self.scanned} shown"
        return f"{words}, {self.remaining} to look at" if self.remaining else words

    def step(self, seconds: float, clock: Callable[[], float] = perf_counter) -> bool:
        """Look at more segments for about ``seconds``; False when there was nothing to look at."""
        if not self.remaining:
            return False
        deadline = clock() + seconds
        segments = self._capture.segments
        while self.scanned < len(segments) and clock() < deadline:
            end = min(self.scanned + _BATCH, len(segments))
            for index in range(self.scanned, end):
                if self._passes(segments[index]):
                    self.rows.append(index)
            self.scanned = end
        return True
