"""Runs laid over each other on one time axis, each drawn with its own letter, so that no colour is needed. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from netlab.load.load_text import shortened
from netlab.ui.load.bars import LogScale, spell
from netlab.ui.load.heights import Heights
from netlab.ui.load.sheet import FOOT, GUTTER, LoadSheet, Row, foot, names, scale_of, ticks
from netlab.ui.load.shown_run import RATE, Gauge, ShownRun, gauges_of, worst
from netlab.ui.load.time_axis import TimeAxis, TimeWindow

SEVERAL = "*"
_RIGHT = 14
"""Columns of the words at the end of a row."""

Mark = tuple[int, int, str]
"""Row from below, column, and the letter there."""


def over(runs: Sequence[ShownRun], window: TimeWindow, width: int, height: int) -> LoadSheet:
    """The runs laid over each other; in the latency a capital letter is p99, a small one p50."""
    axis = TimeAxis(max(run.length for run in runs), max(width - GUTTER - _RIGHT, 4), window)
    heights = Heights.of(gauges_of(runs), height - FOOT, least=2)
    rows = _gauge(RATE, heights.rate, runs, axis)
    rows += _latency(scale_of(runs, heights.latency), runs, axis)
    for gauge, tall in heights.gauges.items():
        rows += _gauge(gauge, tall, runs, axis)
    rows += foot(axis, axis.columns + _RIGHT)
    rows.append((("capital p99  small p50  * several in one place"[:width], "words"),))
    return LoadSheet(tuple(rows), axis)


def _gauge(gauge: Gauge, rows: int, runs: Sequence[ShownRun], axis: TimeAxis) -> list[Row]:
    columns = {run.letter: [gauge.value(points) for points in run.in_columns(axis)] for run in runs}
    tops = {letter: max((v for v in values if v is not None), default=None) for letter, values in columns.items()}
    top = max((value for value in tops.values() if value is not None), default=0)
    words = [f"{letter} {'unknown' if value is None else gauge.words(value)}" for letter, value in tops.items()]
    marks = (
        (min(int(value / top * rows), rows - 1) if top else 0, column, letter)
        for letter, values in columns.items()
        for column, value in enumerate(values)
        if value is not None
    )
    return _drawn(names(gauge, rows), marks, words, axis.columns)


def _latency(scale: LogScale, runs: Sequence[ShownRun], axis: TimeAxis) -> list[Row]:
    words = [f"{run.letter} p99 {_p99(run)}" for run in runs]
    return _drawn(ticks(scale), _percentile_marks(scale, runs, axis), words, axis.columns)


def _p99(run: ShownRun) -> str:
    found = run.result.latency.p99 if run.result is not None else None
    return spell(found) if found is not None else "–"


def _percentile_marks(scale: LogScale, runs: Sequence[ShownRun], axis: TimeAxis) -> Iterator[Mark]:
    for run in runs:
        for column, points in enumerate(run.in_columns(axis)):
            if (point := worst(points)) is not None:
                p50, p99 = scale.row(point.p50 or 0), scale.row(point.p99 or 0)
                yield p99, column, run.letter
                if p50 != p99:
                    yield p50, column, run.letter.lower()


def _drawn(gutter: Sequence[str], marks: Iterator[Mark], words: Sequence[str], columns: int) -> list[Row]:
    """The rows with their marks; a cell with marks of several runs has `SEVERAL`."""
    cells = [[" "] * columns for _ in gutter]
    for row, column, letter in marks:
        there = cells[-1 - row][column]
        cells[-1 - row][column] = letter if there in (" ", letter) else SEVERAL
    rows = []
    for index, name in enumerate(gutter):
        said = words[index] if index < len(words) else ""
        if index == len(gutter) - 1 and len(words) > len(gutter):
            said = "…"
        rows.append(
            ((name, "words"), *_coloured("".join(cells[index])), (shortened(f" {said}", _RIGHT).ljust(_RIGHT), "words"))
        )
    return rows


def _coloured(text: str) -> list[tuple[str, str]]:
    return [("".join(run), key.upper() if key.isalpha() else "") for key, run in groupby(text)]
