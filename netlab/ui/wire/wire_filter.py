"""Filters the lines of the wire list: finds the segments that match, few at once, many in a thread; explains a filter.

Millions of segments take seconds: a `FilterScan` says how far it is, and ends when another filter is asked for.
"""

from __future__ import annotations

import threading
import time
from array import array
from collections import deque
from collections.abc import Sequence

from netlab.capture.filter import Filter, parse
from netlab.capture.filtering.matching import matching
from netlab.capture.view import CapturedSegments
from netlab.ui.wire.segment_lines import SegmentLines

AT_ONCE = 8192
"""Segments that are tested in one step; in the caller's thread if there are no more."""
_PAUSE = 0.0002
"""Seconds after a step in which a key can be answered."""
_NOTE_EVERY = 0.25
"""Seconds between two reports of how far it is: each draws the list."""


class FilterScan:
    """``rows`` grows by the indices of matching segments; ``scanned`` segments have been tested."""

    def __init__(self, capture: CapturedSegments, wanted: Filter) -> None:
        self.rows = array("I")
        self.scanned = 0
        self._capture = capture
        self._wanted = wanted
        self._found: deque[tuple[int, Sequence[int]]] = deque()  # from the thread: up to where, and what
        self._thread: threading.Thread | None = None
        self._ending = threading.Event()

    @property
    def text(self) -> str:
        """The filter as it was typed."""
        return self._wanted.text

    @property
    def remaining(self) -> int:
        """Segments not tested yet."""
        return len(self._capture.segments) - self.scanned

    @property
    def running(self) -> bool:
        """Whether its thread runs."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def counts(self) -> str:
        """``12 of 345 shown``, and how far it is if there is more to test."""
        words = f"{len(self.rows):,} of {max(self.scanned - self._capture.let_go, 0):,} shown"
        share = 100 * self.scanned // max(len(self._capture.segments), 1)
        return f"{words}, filtering {share} %" if self.remaining else words

    def go_on(self) -> bool:
        """Test what is there, or have a thread test it; take what it found. False if nothing is new."""
        if not self.running and not self._found:
            if self.remaining > AT_ONCE and self.scanned:  # the first ones are shown at once
                self._ending.clear()
                self._thread = threading.Thread(target=self._test_all, name="capture filter", daemon=True)
                self._thread.start()
            elif self.remaining > 0:
                self._found.append(self._step(self.scanned))
        return self._take()

    def end(self) -> None:
        """End the thread; return when it has ended."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join()

    def _take(self) -> bool:
        taken = False
        while self._found:
            self.scanned, found = self._found.popleft()
            self.rows.extend(found)
            taken = True
        return taken

    def _step(self, start: int) -> tuple[int, Sequence[int]]:
        """Test the next segments; up to where, and those that match."""
        start = max(start, self._capture.let_go)
        stop = min(start + AT_ONCE, len(self._capture.segments))
        return stop, matching(self._capture, self._wanted.term, start, stop)

    def _test_all(self) -> None:
        scanned = self.scanned
        while scanned < len(self._capture.segments) and not self._ending.is_set():
            step = self._step(scanned)
            self._found.append(step)
            scanned = step[0]
            time.sleep(_PAUSE)


class LinesFilter:
    """Which segments the lines show: those that match a text, or all."""

    def __init__(self, lines: SegmentLines) -> None:
        self._lines = lines
        self._scan: FilterScan | None = None
        self._before: FilterScan | None = None
        self._accepted = False
        self._was_running = False
        self._noted_at = 0.0

    @property
    def on(self) -> bool:
        """Whether a filter is applied."""
        return self._scan is not None

    @property
    def text(self) -> str:
        """The filter as it was typed; empty if all segments are shown."""
        return self._scan.text if self._scan is not None else ""

    @property
    def running(self) -> bool:
        """Whether many segments are being tested."""
        return self._scan is not None and self._scan.running

    def keep(self) -> None:
        """Remember the filter for `restore`: another one is asked for."""
        self._before, self._accepted = self._scan, False

    def accept(self) -> None:
        """The filter is the one that was asked for: once all is tested, the one before is not needed."""
        self._accepted = True

    def restore(self) -> None:
        """Apply the remembered filter again."""
        self._apply(self._before)

    def cancel(self) -> None:
        """End the filter, and apply the one before it."""
        before = self._before if self._before is not self._scan else None
        self._before = None
        self._apply(before)

    def forget(self) -> None:
        """Another capture is about to be shown, without a filter."""
        self.end()
        self._scan = self._before = None

    def show(self, text: str) -> None:
        """Show only segments that match the filter; all if it is empty. `ValueError` says what is wrong."""
        capture = self._lines.rows.capture
        if not text.strip() or capture is None:
            self._apply(None)
            return
        scan = FilterScan(capture, parse(text))
        scan.go_on()
        self._apply(scan)

    def go_on(self) -> None:
        """Test more segments, and show those that match. Call it often."""
        scan = self._scan
        if scan is None:
            return
        more, changed = scan.go_on(), scan.running is not self._was_running
        self._lines.grow()  # also without more: in a flood it is drawn later
        if changed or (more and (not scan.running or time.monotonic() > self._noted_at + _NOTE_EVERY)):
            self._noted_at = time.monotonic()
            how_to_stop = self._lines.title.how_to_stop if scan.running else ""
            self._lines.title.note(", ".join(filter(None, [scan.counts, how_to_stop])))
        if self._accepted and not scan.remaining:
            self._before = None
        if changed:
            self._was_running = scan.running
            self._lines.refresh_bindings()

    def end(self) -> None:
        """Test no more: the list is about to go."""
        if self._scan is not None:
            self._scan.end()

    def _apply(self, scan: FilterScan | None) -> None:
        self.end()
        self._scan, self._was_running = scan, False
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
