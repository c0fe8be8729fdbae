"""Swim lanes as a picture to zoom and scroll: which part of the time axis is seen, and the rows that it gives.

Pure, and made of the same functions as the picture in text (`netlab.lab.lanes`), so that both look the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from netlab.lab.lanes import SECOND, Board, Lane, axis, cells, legend

MARGIN = 18
"""Columns of the words at the end of a row, where there is room for them."""

LONGEST_NAME, ROOM_FOR_WORDS = 16, 48
CLOSEST = 64
"""The strongest magnification."""


@dataclass(frozen=True, slots=True)
class Window:
    """The part of the axis that is seen: magnified so many times, from so many columns on (None: its end)."""

    zoom: int = 1
    left: int | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """Boards above each other on one axis of ``length`` nanoseconds, in ``width`` columns."""

    boards: tuple[Board, ...]
    width: int
    length: int
    window: Window = Window()

    @property
    def name(self) -> int:
        """Columns of the names."""
        names = [len(lane.name) for board in self.boards for lane in board.lanes]
        return min(max(names, default=6), LONGEST_NAME)

    @property
    def columns(self) -> int:
        """Columns of the axis that are seen."""
        return max(self.width - self.name - 2 - (MARGIN if self.width >= ROOM_FOR_WORDS else 0), 8)

    @property
    def total(self) -> int:
        """Columns of the whole axis."""
        return self.columns * self.window.zoom

    @property
    def left(self) -> int:
        """The first column that is seen."""
        last = self.total - self.columns
        return last if self.window.left is None else min(max(self.window.left, 0), last)

    def entries(self) -> list[str | tuple[Board, Lane]]:
        """What stands in each row: a title, or a client."""
        rows: list[str | tuple[Board, Lane]] = []
        for board in self.boards:
            rows += [board.title, *((board, lane) for lane in board.lanes)]
        return rows

    def row(self, entry: str | tuple[Board, Lane]) -> str:
        """One row as text."""
        if isinstance(entry, str):
            return entry
        board, lane = entry
        seen = cells(lane, board.start, board.now, self.total, self.length)[self.left : self.left + self.columns]
        words = f" {lane.words(board.now)}" if self.width >= ROOM_FOR_WORDS else ""
        return f"{lane.name[: self.name]:<{self.name}} {seen}{words}".rstrip()

    def foot(self) -> list[str]:
        """The axis below the rows, and what the glyphs mean."""
        indent = " " * (self.name + 1)
        seen = [line[self.left : self.left + self.columns] for line in axis(self.total, self.length)]
        return [*(indent + line for line in seen), *legend(self.width)]

    def moved(self, by: int) -> Window:
        """The window so many columns to the right; at the end it follows the end."""
        left = self.left + by
        return replace(self.window, left=None if left >= self.total - self.columns else max(left, 0))

    def zoomed(self, zoom: int) -> Window:
        """The window magnified so many times, around its middle; an end that is seen stays."""
        zoom = min(max(zoom, 1), CLOSEST)
        if self.window.left is None:
            return Window(zoom)
        middle = (self.left + self.columns / 2) / self.total
        return Window(zoom, max(round(middle * self.columns * zoom - self.columns / 2), 0))


def axis_length(boards: Sequence[Board]) -> int:
    """Nanoseconds of the axis: what is over fits exactly; what goes on has room, so that the axis seldom moves."""
    length = max((board.length for board in boards), default=1)
    if all(lane.closed is not None for board in boards for lane in board.lanes):
        return length
    step = SECOND // 10
    while step * 5 < length:
        step *= 2
    return -(-length // step) * step
