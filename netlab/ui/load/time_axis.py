"""The time axis of a load: which part of it is seen, in how many columns, and the ruler below it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, floor, log10

CLOSEST = 64
"""The largest zoom factor."""
_APART = 9
"""The least columns between two labels of the ruler."""


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """The visible part of the axis: its zoom factor, and where it begins in seconds (None: the part at the end)."""

    zoom: int = 1
    begin: float | None = None


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """``length`` seconds from the start of a run, and the part of them in ``columns`` columns."""

    length: float
    columns: int
    window: TimeWindow = TimeWindow()

    @property
    def span(self) -> float:
        """The visible seconds."""
        return self.length / self.window.zoom

    @property
    def begin(self) -> float:
        """The first visible second."""
        last = self.length - self.span
        return last if self.window.begin is None else min(max(self.window.begin, 0.0), last)

    def time(self, column: int) -> float:
        """When a column begins."""
        return self.begin + column * self.span / self.columns

    def ruler(self) -> tuple[str, str]:
        """The ruler and the labels below it, in seconds."""
        step = _nice(self.span * _APART / self.columns)
        digits = max(0, -floor(log10(step)))
        line, labels = ["─"] * self.columns, ""
        for number in range(ceil(self.begin / step - 1e-9), floor((self.begin + self.span) / step + 1e-9) + 1):
            column = round((number * step - self.begin) * self.columns / self.span)
            label = f"{number * step:.{digits}f} s"
            if column < self.columns:
                line[column] = "┬"
            if len(labels) <= column and column + len(label) <= self.columns:
                labels = labels.ljust(column) + label
        return "".join(line), labels

    def moved(self, columns: int) -> TimeWindow:
        """The window moved to the right by so many columns; at the end it stays at the end."""
        begin = max(self.begin + columns * self.span / self.columns, 0.0)
        return replace(self.window, begin=None if begin >= self.length - self.span else begin)

    def zoomed(self, zoom: int) -> TimeWindow:
        """The window with this zoom factor around its middle; if it shows the end, it still does."""
        zoom = min(max(zoom, 1), CLOSEST)
        if self.window.begin is None:
            return TimeWindow(zoom)
        return TimeWindow(zoom, max(self.begin + self.span / 2 - self.length / zoom / 2, 0.0))


def _nice(least: float) -> float:
    """The smallest of 1, 2, 5, 10 … times a power of ten that is at least this."""
    power = 10.0 ** floor(log10(least))
    return next(power * each for each in (1, 2, 5, 10) if power * each >= least * (1 - 1e-9))
