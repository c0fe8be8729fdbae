"""Values as bars of characters, with and without a logarithmic scale. Pure; nothing here knows a load or a colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from netlab.dissect.pictures.durations import span

_EIGHTHS = " ▁▂▃▄▅▆▇█"
_EIGHTHS_ACROSS = " ▏▎▍▌▋▊▉█"
_ABOVE = 1 + 1e-9
"""Powers of ten are not exact."""


def columns_of(values: Sequence[float | None], top: float, rows: int) -> list[str]:
    """A bar in each column, in so many rows, the upper one first. What is above 0 is seen; None and 0 are empty.

    The longest bar ends an eighth below the top, so that it does not touch what stands there.
    """
    drawn = [_eighths(value or 0, top, rows * 8 - 1) for value in values]
    return ["".join(_EIGHTHS[min(max(each - below * 8, 0), 8)] for each in drawn) for below in range(rows)][::-1]


def bar(value: float, top: float, cells: int) -> str:
    """A bar from left to right, at most so many cells long. What is above 0 is seen."""
    whole, rest = divmod(_eighths(value, top, cells * 8), 8)
    return "█" * whole + (_EIGHTHS_ACROSS[rest] if rest else "")


def _eighths(value: float, top: float, most: int) -> int:
    if value <= 0 or top <= 0:
        return 0
    return min(max(round(value / top * most), 1), most)


@dataclass(frozen=True, slots=True)
class LogScale:
    """Durations from ``low`` to ``high`` seconds in ``rows`` rows; row 0 is the lowest."""

    low: float
    high: float
    rows: int

    @classmethod
    def of(cls, values: Sequence[float], rows: int) -> LogScale:
        """A scale that has room for all of these, from one of 1, 2, 5 times a power of ten to another."""
        known = [max(value, 1e-6) for value in values] or [1e-3, 1.0]
        low = max(step for step in _steps(min(known)) if step <= min(known) * _ABOVE)
        high = min(step for step in _steps(max(known)) if step * _ABOVE >= max(known))
        return cls(low, high if high > low else low * 10, rows)

    def bound(self, row: int) -> float:
        """The duration at the lower end of a row."""
        return float(self.low * (self.high / self.low) ** (row / self.rows))

    def row(self, value: float) -> int:
        """The row of a duration; the outermost ones also have what is beyond the scale."""
        if value <= self.low:
            return 0
        place = log10(value / self.low) / log10(self.high / self.low) * self.rows
        return min(int(place + 1e-9), self.rows - 1)

    def label(self, row: int) -> str:
        """The duration at the lower end of a row, if it is a power of ten or the row is the lowest; else empty."""
        tens = 10.0 ** ceil(log10(self.bound(row)) - 1e-9)
        if row and not self.bound(row) * (1 - 1e-9) <= tens < self.bound(row + 1) * (1 - 1e-9):
            return ""
        return _tick(tens if row else self.low)


def _steps(value: float) -> list[float]:
    """1, 2, 5 times the powers of ten around a value."""
    power = floor(log10(value))
    return [each * 10.0 ** (power + more) for more in (-1, 0, 1) for each in (1, 2, 5)]


def spell(seconds: float) -> str:
    """A duration in words: ``310 µs``, ``1.2 ms``, ``2.1 s``."""
    return span(round(seconds * 1e9))


def _tick(seconds: float) -> str:
    """A round duration: ``500 µs``, ``1 s``."""
    size, unit = next(
        ((size, unit) for size, unit in ((1.0, "s"), (1e-3, "ms")) if seconds * _ABOVE >= size), (1e-6, "µs")
    )
    return f"{seconds / size:.0f} {unit}"
