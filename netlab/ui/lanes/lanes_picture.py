"""Swim lanes as a picture that can be zoomed and scrolled: the visible part of the time axis, and its rows.

Pure. It uses the functions of the picture in text (`netlab.lab.experiments.swim_lanes_text`), so that both look the
same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from netlab.lab.experiments.swim_lanes import SECOND, Board
from netlab.lab.experiments.swim_lanes_text import Layout, axis, cells, digits_of, legend, unsure

_LABEL = re.compile(r"\S+(?: s)?")
CLOSEST = 64
"""The largest zoom factor."""


@dataclass(frozen=True, slots=True)
class Window:
    """The visible part of the axis: its zoom factor, and its first column (None: the part at the end)."""

    zoom: int = 1
    left: int | None = None


@dataclass(frozen=True, slots=True)
class LanesSheet:
    """Boards on axes of ``length`` nanoseconds in ``width`` columns, above each other or side by side (``beside``)."""

    boards: tuple[Board, ...]
    width: int
    length: int
    window: Window = Window()
    beside: bool = False

    @property
    def layout(self) -> Layout:
        """The positions of names, axis and words."""
        return Layout.of(self.boards, self.width, self.beside)

    @property
    def columns(self) -> int:
        """The visible columns of the axis."""
        return self.layout.columns

    @property
    def total(self) -> int:
        """Columns of the whole axis."""
        return self.columns * self.window.zoom

    @property
    def left(self) -> int:
        """The first visible column."""
        last = self.total - self.columns
        return last if self.window.left is None else min(max(self.window.left, 0), last)

    def rows(self) -> list[str]:
        """The boards, each under its title, with one row per client."""
        layout = self.layout
        return layout.joined([self._block(board, layout) for board in self.boards])

    def _block(self, board: Board, layout: Layout) -> list[str]:
        seen = slice(self.left, self.left + layout.columns)
        drawn = [(lane, cells(lane, board.start, board.now, self.total, self.length)[seen]) for lane in board.lanes]
        return [layout.title(board), *(layout.row(lane, part, board.now) for lane, part in drawn)]

    def ruler(self) -> list[str]:
        """The axis below the rows."""
        ruler, labels = axis(self.total, self.length)
        seen = slice(self.left, self.left + self.columns)
        return list(self.layout.foot(self._labelled(ruler[seen], labels)))

    def foot(self) -> list[str]:
        """The axis and the legend."""
        return [*self.ruler(), *legend(self.width, unsure=unsure(self.boards))]

    def _labelled(self, ruler: str, labels: str) -> list[str]:
        """The visible part of the axis with the labels that fit; if none fits, the time at its left end."""
        row = [" "] * self.columns
        for label in _LABEL.finditer(labels):
            if self.left <= label.start() and label.end() <= self.left + self.columns:
                row[label.start() - self.left : label.end() - self.left] = label[0]
        digits = max(3, digits_of(max(self.length // self.total, 1)))
        here = f"{self.left * self.length / self.total / SECOND:.{digits}f} s"
        if not "".join(row).strip() and len(here) <= self.columns:
            return ["┬" + ruler[1:].replace("┬", "─"), here]
        return [ruler, "".join(row).rstrip()]

    def moved(self, by: int) -> Window:
        """The window moved to the right by this many columns; at the end it follows the end."""
        left = self.left + by
        return replace(self.window, left=None if left >= self.total - self.columns else max(left, 0))

    def zoomed(self, zoom: int) -> Window:
        """The window with this zoom factor, around its middle; if it shows the end, it still does."""
        zoom = min(max(zoom, 1), CLOSEST)
        if self.window.left is None:
            return Window(zoom)
        middle = (self.left + self.columns / 2) / self.total
        return Window(zoom, max(round(middle * self.columns * zoom - self.columns / 2), 0))


@dataclass(frozen=True, slots=True)
class BoardGroup:
    """Boards on one axis: the clients of an experiment, or (without a name) those between experiments."""

    name: str
    boards: tuple[Board, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The pictures of several runs, one below another, each with its own axis; the newest last."""

    names: tuple[str, ...]
    pictures: tuple[LanesSheet, ...]

    @classmethod
    def of(cls, runs: Sequence[BoardGroup], width: int, window: Window, beside: bool) -> Sheet:
        """TabPicture of all runs in the same window: equal zoom, equal distance from the start."""
        names = tuple(run.name for run in runs) if len(runs) > 1 else ("",)
        return cls(names, tuple(LanesSheet(r.boards, width, axis_length(r.boards), window, beside) for r in runs))

    @property
    def newest(self) -> LanesSheet:
        """The picture of the newest run."""
        return self.pictures[-1]

    def rows(self) -> list[tuple[str, LanesSheet | None]]:
        """Each row with its picture; None for headings and axes. The newest picture's axis is in its foot."""
        rows: list[tuple[str, LanesSheet | None]] = []
        for name, picture in zip(self.names, self.pictures, strict=True):
            rows += [(f"── {name or 'by hand'} ──"[: picture.width], None)] if len(self.pictures) > 1 else []
            rows += [(row, picture) for row in picture.rows()]
            rows += [(row, None) for row in picture.ruler()] if picture is not self.newest else []
        return rows


def axis_length(boards: Sequence[Board]) -> int:
    """Nanoseconds of the axis: exact if all clients are closed, else with room to grow, so that it seldom changes."""
    length = max((board.length for board in boards), default=1)
    if all(lane.closed is not None for board in boards for lane in board.lanes):
        return length
    step = SECOND // 10
    while step * 5 < length:
        step *= 2
    return -(-length // step) * step
