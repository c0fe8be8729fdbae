"""A segment as one line of the wire list: the columns, their widths, and which ones a narrow list drops."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

from netlab.capture.model import Direction, Kind, Segment
from netlab.dissect.reading.meanings import How, Meanings
from netlab.dissect.summary import said
from netlab.dissect.text import safe

_WORDS = {Kind.OPEN: "open", Kind.FIN: "end", Kind.RESET: "reset"}
_ARROWS = {
    (Kind.OPEN, Direction.TO_SERVER): "⇒", (Kind.OPEN, Direction.TO_CLIENT): "⇐",
    (Kind.FIN, Direction.TO_SERVER): "⇥", (Kind.FIN, Direction.TO_CLIENT): "⇤",
    (Kind.RESET, Direction.TO_SERVER): "↛", (Kind.RESET, Direction.TO_CLIENT): "↚",
}  # fmt: skip
UNREAD = "○"
"""Stands beside the arrow of a segment that the server has not read."""
_ROOM_FOR_UNREAD = 24
"""Cells of the last column that also have room for the word."""


def what(segment: Segment, how: How, opened: str = "") -> str:
    """The segment in words, escaped; first what the wire did to it, if anything.

    ``opened`` is the text of its decrypted records, if known.
    """
    flag, words = _WORDS.get(segment.kind, ""), opened or _said(segment, how)
    if segment.kind is Kind.RESET and segment.fate:  # the fate explains the reset
        flag = ""
    return " · ".join(part for part in (safe(segment.words), flag, words) if part)


def _said(segment: Segment, how: How) -> str:
    return how.words(segment) if isinstance(how, Meanings) else said(segment, how)


def clock(time_ns: int, start_ns: int) -> str:
    """Seconds since the capture's first segment, to the millisecond."""
    return f"{(time_ns - start_ns) / 1e9:.3f}"


@dataclass(frozen=True, slots=True)
class Columns:
    """Widths in cells; 0 for a dropped column."""

    number: int
    time: int
    flow: int
    length: int
    what: int

    @classmethod
    def fitting(cls, width: int, segments: int, flows: int, last: str) -> Columns:
        """Columns for ``width`` cells: the flow is dropped below 40, the time below 32.

        ``last`` is the longest time; the counts determine the other widths.
        """
        number = max(len(str(segments)), 2)
        time = max(len(last), 5) + 2 if width >= 32 else 0
        flow = max(len(str(flows)), 4) + 2 if width >= 40 else 0
        length = 8
        return cls(number, time, flow, length, max(width - 1 - number - time - flow - 2 - length - 2, 4))

    def line(self, number: str, time: str, flow: str, arrow: str, length: str, what: str, mark: str = " ") -> str:
        """One line in these columns."""
        left = f"{number:>{self.number}}"
        if self.time:
            left += f"  {time:>{self.time - 2}}"
        if self.flow:
            left += f"  {flow:>{self.flow - 2}}"
        return f"{left} {arrow}{mark}{length:>{self.length - 1}}  {what}"

    def heading(self) -> str:
        """The names of the columns."""
        return self.line("#", "time", "flow", " ", "bytes", "what")

    def row(self, segment: Segment, start_ns: int, words: str, *, unread: bool = False) -> str:
        """A segment in these columns; ``words`` is its text, ``unread`` marks it."""
        length = str(segment.length) if segment.carries else "·"
        arrow = _ARROWS.get((segment.kind, segment.direction), segment.direction.value)
        time = clock(segment.time_ns, start_ns)
        if unread and self.what >= _ROOM_FOR_UNREAD:
            words = f"unread · {words}" if words else "unread"
        if len(words) * 2 > self.what and cell_len(words) > self.what:  # no character is wider than two cells
            words = set_cell_size(words, self.what - 1) + "…"
        mark = UNREAD if unread else " "
        return self.line(str(segment.number), time, str(segment.flow.number), arrow, length, words, mark)
