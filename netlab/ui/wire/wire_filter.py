"""Filters the lines of the wire list: finds the segments that match, a few at a time; and explains a filter.

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
from netlab.ui.wire.segment_lines import SegmentLines

Test = Callable[[Segment], bool]
_BATCH = 64

SCAN_SECONDS = 0.006
"""How long a filter may take per tick; a frame at 60 per second has 16 ms."""


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


class LinesFilter:
    """Which segments the lines show: those that match a text, or all."""

    def __init__(self, lines: SegmentLines) -> None:
        self._lines = lines
        self._scan: FilterScan | None = None
        self._before: FilterScan | None = None

    @property
    def on(self) -> bool:
        """Whether a filter is applied."""
        return self._scan is not None

    @property
    def text(self) -> str:
        """The filter as it was typed; empty if all segments are shown."""
        return self._scan.text if self._scan is not None else ""

    def keep(self) -> None:
        """Remember the filter for `restore`: another one is asked for."""
        self._before = self._scan

    def restore(self) -> None:
        """Apply the remembered filter again."""
        self._apply(self._before)

    def forget(self) -> None:
        """Another capture is about to be shown, without a filter."""
        self._scan = self._before = None

    def show(self, text: str) -> None:
        """Show only segments that match the filter; all if it is empty. `ValueError` says what is wrong."""
        capture = self._lines.rows.capture
        if not text.strip() or capture is None:
            self._apply(None)
            return
        scan = FilterScan(capture, parse(text).matches, text)
        scan.step(SCAN_SECONDS)
        self._apply(scan)

    def go_on(self) -> None:
        """Test more segments, and show those that match. Call it often."""
        if self._scan is not None and self._scan.step(SCAN_SECONDS):
            self._lines.grow()
            self._lines.note(self._scan.counts)

    def _apply(self, scan: FilterScan | None) -> None:
        self._scan = scan
        self._lines.show_rows(scan.rows if scan else None, scan.counts if scan else "")
        self._lines.refresh_bindings()


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
