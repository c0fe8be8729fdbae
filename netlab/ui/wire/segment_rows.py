"""The segments of a capture that the wire list shows, row by row, and the user's place among them. It knows no widget.

A row is a segment's place in the list, an index its place in the capture. Without a filter they are the same, as long
as the capture has let nothing go.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, MutableSequence
from contextlib import suppress

from netlab.capture.model import LetGo, Segment
from netlab.capture.view import CapturedSegments

_NEWEST = 100
"""How many of the newest rows are searched for bytes: many connections may end at once."""


class SegmentRows:
    """The segments of a capture that pass the filter, newest last."""

    def __init__(self) -> None:
        self.capture: CapturedSegments | None = None
        self.following = True
        """Whether the list follows the newest segment."""
        self.wanted = 0
        """Index of the segment that the user went to, even if the filter hides it."""
        self.marks: set[int] = set()
        """Numbers of the segments that the user marked."""
        self.note = ""
        """A remark for the title."""
        self.progress = ""
        """How far a file is read, for the title."""
        self.start_ns: int | None = None
        """The time of the capture's first segment, also once it was let go; None without a segment."""
        self._indices: MutableSequence[int] | None = None
        self._first = 0  # index of the first segment that is not let go
        self._dropped = 0  # rows that the filter showed of what was let go
        self._seen = 0  # segments when the user last followed

    def show(self, capture: CapturedSegments | None) -> None:
        """Show another capture (None: nothing yet), all of it."""
        self.capture, self.following, self.marks = capture, True, set()
        self.start_ns, self._first = None, 0
        self.show_only(None)

    def show_only(self, indices: MutableSequence[int] | None, note: str = "") -> None:
        """Show only these segments (ascending indices, may grow), or all; the title shows ``note``.

        What the capture lets go is removed from ``indices``.
        """
        self._indices, self.note, self._dropped = indices, note, 0
        self.let_go()

    def let_go(self) -> int:
        """Take notice of what the capture has let go since the last call; how many rows are gone from the top."""
        if self.capture is None:
            return 0
        if self.start_ns is None:
            self.start_ns = next((segment.time_ns for segment in self.capture.segments), None)
        before, self._first = self._first, self.capture.let_go
        if self._indices is None:
            return self._first - before
        gone = bisect_left(self._indices, self._first)
        del self._indices[:gone]
        self._dropped += gone
        return gone

    # Rows

    @property
    def count(self) -> int:
        """The number of rows."""
        return max(self._captured - self._first, 0) if self._indices is None else len(self._indices)

    @property
    def total(self) -> int:
        """The same with those whose segments were let go: it never shrinks."""
        return self._captured if self._indices is None else len(self._indices) + self._dropped

    @property
    def _captured(self) -> int:
        return len(self.capture.segments) if self.capture else 0

    def at(self, row: int) -> Segment | None:
        """The segment on a row; None if there is none, or if it was let go just now."""
        if self.capture is not None and 0 <= row < self.count:
            with suppress(LetGo):
                return self.capture.segments[self.index_of(row)]
        return None

    def index_of(self, row: int) -> int:
        """Index of the segment on a row; for a row that does not exist, where it would be without a filter."""
        if self._indices is None or not 0 <= row < len(self._indices):
            return self._first + max(row, 0)
        return self._indices[row]

    def newest_with_bytes(self) -> int:
        """The row of the newest segment with bytes; the last row if none of the newest has any."""
        last = self.count - 1
        rows = range(last, max(last - _NEWEST, -1), -1)
        return next((row for row in rows if (segment := self.at(row)) and segment.carries), last)

    def place(self) -> int:
        """The row of the user's segment, else of the next one shown, else the last; -1 if it was let go."""
        if self.lost:
            return -1
        row = self.wanted - self._first if self._indices is None else bisect_left(self._indices, self.wanted)
        return min(row, self.count - 1)

    @property
    def lost(self) -> bool:
        """Whether the segment that the user went to was let go."""
        return not self.following and self.wanted < self._first

    def stay(self, index: int) -> None:
        """Stay at the segment with this index, and stop following."""
        self.following, self.wanted = False, index

    # Marks

    def next_mark(self, number: int) -> int | None:
        """The next marked segment after this number; after the last mark, the first. None without marks."""
        return min((n for n in self.marks if n > number), default=min(self.marks, default=None))

    def chosen(self) -> Iterable[Segment]:
        """The marked segments, else all that are shown."""
        if self.capture is not None and self.marks:
            segments = self.capture.segments
            return [segment for number in sorted(self.marks) for segment in segments[number - 1 : number]]
        return filter(None, map(self.at, range(self.count)))

    # The title

    def title(self, live: bool, how_on: str) -> str:
        """The title. For a ``live`` capture it says whether the list follows, or how to follow again (``how_on``)."""
        count = self._captured
        if self.following:
            self._seen = count
        new = f"{count - self._seen:,} new" if count > self._seen else ""
        words = ["wire"]
        if live:
            gone = f"#{self.wanted + 1:,} was let go" if self.lost else ""
            words.append("following" if self.following else " · ".join(filter(None, [gone or "paused", new, how_on])))
        words += filter(None, (self.progress, self.note))
        return " ── ".join(words)
