"""Finds the segments that match a filter, a few at a time; and explains a filter while it is typed.

Millions of segments take seconds: `FilterScan.step` stops at its deadline and continues there at the next call.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from contextlib import suppress
from time import perf_counter

from netlab.capture.filter import parse
from netlab.capture.model import LetGo, Segment
from netlab.capture.view import CapturedSegments

Test = Callable[[Segment], bool]
_BATCH = 64


class FilterScan:
    """``rows`` grows by the indices of matching segments; ``scanned`` segments have been tested."""

    def __init__(self, capture: CapturedSegments, passes: Test, text: str) -> None:
        self.rows = array("L")
        self.scanned = 0
        self.text = text
        self._capture = capture
        self._passes = passes

    @property
    def remaining(self) -> int:
        """Segments not tested yet."""
        return len(self._capture.segments) - self.scanned

    @property
    def counts(self) -> str:
        """``12 of 345 shown``, and how many are left to test."""
        words = f"{len(self.rows)} of {max(self.scanned - self._capture.let_go, 0)} shown"
        return f"{words}, {self.remaining} to go" if self.remaining else words

    def step(self, seconds: float, clock: Callable[[], float] = perf_counter) -> bool:
        """Test more segments for about ``seconds``. False if there were none."""
        if not self.remaining:
            return False
        deadline = clock() + seconds
        segments = self._capture.segments
        self.scanned = max(self.scanned, self._capture.let_go)
        while self.scanned < len(segments) and clock() < deadline:
            end = min(self.scanned + _BATCH, len(segments))
            for index in range(self.scanned, end):
                with suppress(LetGo):
                    if self._passes(segments[index]):
                        self.rows.append(index)
            self.scanned = end
        return True


EXAMPLES = "'Hello' · -> · flow 2 · >100 · 0x4865 · fate · and or not ( )"


def explain_intercept(text: str) -> str:
    """Explain a filter for holding; `ValueError` says what is wrong."""
    parse(text)
    if text.strip():
        return "enter holds matching segments and, in their streams, all that follow"
    return f"{EXAMPLES} · empty: hold none"


def explain_filter(text: str) -> str:
    """Explain a filter; `ValueError` says what is wrong."""
    parse(text)
    return "enter keeps the filter, esc restores the previous one" if text.strip() else EXAMPLES
