"""Paints the lines of the wire list: the heading, one segment per line, and the text of an empty list."""

from __future__ import annotations

from collections.abc import Callable

from rich.segment import Segment as Cells
from rich.style import Style
from textual.strip import Strip

from netlab.capture.model import Direction, Kind, Segment
from netlab.dissect.reading.meanings import How
from netlab.ui.wire.decrypted_lines import DecryptedLines
from netlab.ui.wire.segment_row import Columns, clock, what
from netlab.ui.wire.segment_rows import SegmentRows
from netlab.ui.wire.unread_marks import UnreadSegments

STYLES = frozenset(
    f"wire--{name}" for name in ("heading", "to-server", "to-client", "event", "fate", "cursor")
)  # the component classes that a list with these lines needs


class SegmentPainter:
    """Turns segments into strips. ``style_of`` (component class, partial) comes from the widget."""

    def __init__(self, rows: SegmentRows, style_of: Callable[[str, bool], Style]) -> None:
        self._style_of = style_of
        self._rows = rows
        self.how: How = None
        self.decrypted: DecryptedLines | None = None
        self.columns = Columns.fitting(80, 0, 0, "")
        self._width = 80
        self.unread = UnreadSegments()
        """Which segments the server has not read."""
        self.linked: frozenset[int] = frozenset()
        """Numbers of the segments of the selected call."""

    def fit(self, width: int) -> None:
        """Fit the columns to ``width`` cells and to the capture."""
        capture = self._rows.capture
        segments = capture.segments if capture else ()
        flows = len(capture.flows) if capture else 0
        newest = self._rows.at(self._rows.count - 1)
        last = clock(newest.time_ns, self._start(newest)) if newest is not None else ""
        self.columns, self._width = Columns.fitting(width, len(segments), flows, last), width

    def heading(self, width: int) -> Strip:
        """The names of the columns."""
        style = self._style_of("wire--heading", False)
        return Strip([Cells(" " + self.columns.heading(), style)]).adjust_cell_length(width, style)

    def nothing(self, width: int, base: Style, how_on: str, *, live: bool = True) -> Strip:
        """Why the list is empty, and which key changes the filter."""
        words = " Segments that cross the wire appear here." if live else " This file contains no segments."
        if self._rows.capture is not None and len(self._rows.capture.segments):
            words = "; ".join(filter(None, [" no segment matches the filter", how_on]))
        return Strip([Cells(words, self._style_of("wire--heading", False))]).adjust_cell_length(width, base)

    def line(self, segment: Segment, at_cursor: bool, width: int) -> Strip:
        """One segment: its mark in the margin, then its columns."""
        capture = self._rows.capture
        assert capture is not None  # it has the segment
        if width != self._width:  # the scrollbar came or went
            self.fit(width)
        unread = self.unread.of(segment, capture)
        style = self._style(segment, at_cursor, unread)
        text = self.columns.row(segment, self._start(segment), self._what(segment), unread=unread)
        linked = "▸" if segment.number in self.linked else " "
        margin = Cells("•" if segment.number in self._rows.marks else linked, style)
        return Strip([margin, Cells(text, style)]).adjust_cell_length(width, style)

    def _start(self, segment: Segment) -> int:
        return segment.time_ns if self._rows.start_ns is None else self._rows.start_ns

    def _what(self, segment: Segment) -> str:
        opened = self.decrypted.line(segment, self.how) if self.decrypted is not None else ""
        return what(segment, self.how, opened)

    def _style(self, segment: Segment, at_cursor: bool, unread: bool) -> Style:
        if segment.words or unread:
            name = "wire--fate"
        elif segment.kind is not Kind.DATA:
            name = "wire--event"
        else:
            name = "wire--to-server" if segment.direction is Direction.TO_SERVER else "wire--to-client"
        style = self._style_of(name, False)
        return style + self._style_of("wire--cursor", True) if at_cursor else style
