"""The picture of runs on one time axis: rate, latency with its histogram, and the server's gauges, in rows of text.

Pure: runs in, rows of (text, style) out. No row needs colour. Several runs stand beside each other on the same scales.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from netlab.load.load_text import shortened
from netlab.load.points import Point
from netlab.ui.load.bars import LogScale, bar, columns_of
from netlab.ui.load.heights import Heights
from netlab.ui.load.shown_run import RATE, Gauge, ShownRun, gauges_of, worst
from netlab.ui.load.time_axis import TimeAxis, TimeWindow

Row = tuple[tuple[str, str], ...]
"""Pieces of text with the name of their style; an empty name: none."""

SHADES = (("p50", "█"), ("p90", "▓"), ("p99", "▒"), ("maximum", "░"))
"""The percentiles of a column from below, and what fills the rows up to each."""
GUTTER = 8
"""Columns of names and ticks, with the line beside them."""
FOOT = 3
"""Rows of ruler, labels and legend."""


@dataclass(frozen=True, slots=True)
class LoadSheet:
    """The rows, and the axis of each run in them."""

    rows: tuple[Row, ...]
    axis: TimeAxis

    @property
    def text(self) -> str:
        """The rows without colour."""
        return "\n".join("".join(text for text, _ in row).rstrip() for row in self.rows)


@dataclass(frozen=True, slots=True)
class _Part:
    """One run's part of the width: its points by column, and what is common to all parts."""

    run: ShownRun
    columns: Sequence[Sequence[Point]]
    right: int

    def gauge(self, gauge: Gauge, top: float, rows: int) -> list[Row]:
        values = [gauge.value(points) for points in self.columns]
        known = [value for value in values if value is not None]
        words = ["unknown" if not known else f"max {gauge.words(max(known))}"]
        if gauge is RATE:
            words = self._rate_words()
        bars = columns_of(values, top, rows)
        return [
            ((each, gauge.name), (self._right(words[index] if index < len(words) else ""), "words"))
            for index, each in enumerate(bars)
        ]

    def _rate_words(self) -> list[str]:
        run = self.run
        done, seconds = sum(point.done for point in run.points), run.points[-1].at if run.points else 0.0
        mean = run.result.throughput if run.result is not None else done / seconds if seconds else 0.0
        return [RATE.words(mean), "" if run.plan.closed else f"of {RATE.words(run.plan.rate)}"]

    def latency(self, scale: LogScale) -> list[Row]:
        filled = [_filled(points, scale) for points in self.columns]
        rows = ["".join(column[row] for column in filled) for row in range(scale.rows)]
        bars = self._histogram(scale)
        return [(*_shaded(rows[row]), (self._right(bars[row]), "histogram")) for row in reversed(range(scale.rows))]

    def _histogram(self, scale: LogScale) -> list[str]:
        counts = [0] * scale.rows
        for value, count in self.run.result.histogram if self.run.result is not None else ():
            counts[scale.row(value)] += count
        return [bar(count, max(counts), self.right - 2) for count in counts]

    def _right(self, text: str) -> str:
        return shortened(f" {text}", self.right).ljust(self.right)


def _filled(points: Sequence[Point], scale: LogScale) -> str:
    """A column of the latency, from below."""
    point = worst(points)
    if point is None:
        return " " * scale.rows
    tops = [(scale.row(getattr(point, field) or scale.low), shade) for field, shade in SHADES[:-1]]
    tops.append((scale.row(max(each.maximum or 0 for each in points)), SHADES[-1][1]))
    column = ""
    for row, shade in tops:
        column += shade * (row + 1 - len(column))
    return column.ljust(scale.rows)


def _shaded(text: str) -> list[tuple[str, str]]:
    styles = {shade: name for name, shade in SHADES}
    pieces: list[tuple[str, str]] = []
    for character in text:
        style = styles.get(character, "")
        if pieces and pieces[-1][1] == style:
            pieces[-1] = (pieces[-1][0] + character, style)
        else:
            pieces.append((character, style))
    return pieces


def beside(runs: Sequence[ShownRun], window: TimeWindow, width: int, height: int) -> LoadSheet:
    """One run, or several beside each other, in so many rows and columns."""
    room = (width - GUTTER) // len(runs)
    right = min(14, max(room // 4, 12))
    length = max(run.length for run in runs)
    axis = TimeAxis(length, max(room - right, 4), window)
    parts = [_Part(run, run.in_columns(axis), right) for run in runs]
    heights = Heights.of(gauges_of(runs), height - FOOT - (len(runs) > 1))
    rows: list[Row] = []
    if len(runs) > 1:
        titles = [(shortened(f"{run.letter} {run.name}", room - 1).ljust(room), "name") for run in runs]
        rows.append(((" " * GUTTER, ""), *titles))
    rows += joined(names(RATE, heights.rate), [part.gauge(RATE, _top(RATE, parts), heights.rate) for part in parts])
    scale = scale_of(runs, heights.latency)
    rows += joined(ticks(scale), [part.latency(scale) for part in parts])
    for gauge, tall in heights.gauges.items():
        rows += joined(names(gauge, tall), [part.gauge(gauge, _top(gauge, parts), tall) for part in parts])
    rows += foot(axis, room, len(runs))
    rows.append(_legend(width))
    return LoadSheet(tuple(rows), axis)


def _legend(width: int) -> Row:
    pieces = [
        (text, style) for name, shade in SHADES for text, style in ((shade, name), (f" {_said(name)}  ", "words"))
    ]
    pieces.append(("right: all of them" if width >= 60 else "", "words"))
    return tuple(_cropped(pieces, width))


def _cropped(pieces: Sequence[tuple[str, str]], width: int) -> Iterator[tuple[str, str]]:
    for text, style in pieces:
        if width > 0:
            yield text[:width], style
        width -= len(text)


def _said(field: str) -> str:
    return "max" if field == "maximum" else f"to {field}"


def foot(axis: TimeAxis, room: int, times: int = 1) -> list[Row]:
    """The ruler and its labels, for each of the parts of ``room`` columns."""
    line, labels = axis.ruler()
    return [
        ((" " * (GUTTER - 1) + "└", "words"), *[(line.ljust(room), "words")] * times),
        ((" " * GUTTER, ""), *[(labels.ljust(room), "words")] * times),
    ]


def _top(gauge: Gauge, parts: Sequence[_Part]) -> float:
    return max((gauge.value(points) or 0 for part in parts for points in part.columns), default=0)


def scale_of(runs: Sequence[ShownRun], rows: int) -> LogScale:
    """The scale that has room for every latency of the runs."""
    points = [point for run in runs for point in run.points if point.p50 is not None]
    known = [value for point in points for value in (point.p50, point.maximum) if value is not None]
    found = [value for run in runs if run.result is not None for value, _ in run.result.histogram]
    return LogScale.of(known + found, rows)


def names(gauge: Gauge, rows: int) -> list[str]:
    """What stands left of a gauge."""
    return [f"{gauge.name if row == 0 else '':<{GUTTER - 1}}│" for row in range(rows)]


def ticks(scale: LogScale) -> list[str]:
    """What stands left of the latency."""
    labels = [scale.label(row) for row in reversed(range(scale.rows))]
    labels[0] = "latency"
    return [f"{label:>{GUTTER - 1}}{'┤' if label and index else '│'}" for index, label in enumerate(labels)]


def joined(gutter: Sequence[str], parts: Sequence[Sequence[Row]]) -> list[Row]:
    """The rows of several parts beside each other, behind one gutter."""
    return [((name, "words"), *(piece for part in parts for piece in part[row])) for row, name in enumerate(gutter)]
