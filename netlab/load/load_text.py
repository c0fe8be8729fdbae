"""Results of loads as lines of text: figures, latencies and the time axis, of several models beside each other.

Pure functions of values and a width; nothing here prints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from math import floor, log10

from netlab.load.points import INTERVAL, Point
from netlab.load.result import LoadResult

LABEL = 22
"""Characters of what stands before each row."""
NARROWEST, WIDEST = 14, 44
"""Characters of a model's column."""
_LEVELS = " ▁▂▃▄▅▆▇█"
_NOTHING = "–"

Row = tuple[str, Callable[[LoadResult], str]]
Series = tuple[str, Callable[[Point], float | None], Callable[[float], str]]


def time_text(seconds: float | None) -> str:
    """A latency with three digits: ``1.23 ms``."""
    if seconds is None:
        return _NOTHING
    factor, unit = (1e6, "µs") if seconds < 0.0009995 else (1e3, "ms") if seconds < 0.9995 else (1.0, "s")
    value = seconds * factor
    digits = 2 - floor(log10(value)) if value >= 1 else 2
    return f"{value:,.{min(max(digits, 0), 2)}f} {unit}" if unit != "µs" else f"{value:.0f} µs"


def report_lines(results: Sequence[LoadResult], width: int) -> list[str]:
    """Everything about results that belong together, in at most ``width`` columns as far as one model fits."""
    lines: list[str] = []
    across = max(1, (width - LABEL) // NARROWEST)
    for start in range(0, len(results), across):
        shown = results[start : start + across]
        column = min(WIDEST, max(NARROWEST, (width - LABEL) // len(shown)))
        parts = figures(shown, column), latencies(shown, column), time_axis(shown, column)
        for part in filter(None, parts):
            lines += [*([""] if lines else []), *part]
    return lines


def figures(results: Sequence[LoadResult], column: int) -> list[str]:
    """Counts, percentiles and what the server had, a row each."""
    rows: list[Row] = [
        ("", lambda result: result.model),
        ("connections", lambda result: "kept" if result.plan.keep else "one each"),
        ("planned", lambda result: _NOTHING if result.plan.closed else f"{result.planned:,}"),
        ("sent", lambda result: f"{result.sent:,}"),
        ("answered", lambda result: f"{result.done:,}"),
        ("answered/s", lambda result: f"{result.throughput:,.1f}"),
        ("errors", lambda result: f"{result.failed:,}"),
    ]
    kinds = dict.fromkeys(kind for result in results for kind in result.errors)
    rows += [(f"  {kind}", partial(_count_of, kind)) for kind in kinds]
    rows += [
        ("p50", lambda result: time_text(result.latency.p50)),
        ("p90", lambda result: time_text(result.latency.p90)),
        ("p99", lambda result: time_text(result.latency.p99)),
        ("p99.9", lambda result: time_text(result.latency.p999)),
        ("max", lambda result: time_text(result.latency.maximum)),
        ("samples", lambda result: f"{result.samples:,}"),
    ]
    if any(not result.plan.closed for result in results):
        rows.append(("p99 from sending", lambda result: time_text(result.from_sending.p99)))
    for name, of in _GAUGES:
        if any(of(point) is not None for result in results for point in result.points):
            rows.append((f"{name}, at most", partial(_most, of)))
    return [_row(label, [value(result) for result in results], column) for label, value in rows]


def latencies(results: Sequence[LoadResult], column: int) -> list[str]:
    """How many samples took how long: a row for each step of 1, 2, 5; all models have the same rows."""
    values = [value for result in results for value, _ in result.histogram]
    if not values:
        return []
    lines = [_row("latency", [result.model for result in results], column)]
    for below, upto in pairwise(_steps(min(values), max(values))):
        shares = [_share(result, below, upto) for result in results]
        bars = [f"{'█' * round(share * (column - 9)):<{column - 9}}{_percent(share):>7}" for share in shares]
        lines.append(_row(f"≤ {time_text(upto)}", bars, column))
    return lines


def time_axis(results: Sequence[LoadResult], column: int) -> list[str]:
    """What went on over time; all models have the same scale, whose top stands at the left."""
    seconds = max((result.points[-1].at for result in results if result.points), default=0.0)
    if not seconds:
        return []
    lines = [_row(f"over {seconds:.1f} s", [result.model for result in results], column)]
    for name, of, text in _SERIES:
        drawn = [_cells(result.points, of, seconds, column - 2) for result in results]
        top = max((value for cells in drawn for value in cells if value is not None), default=None)
        if top is not None:
            label = f"{name}, {text(top)}"
            blocks = ("".join(_block(value, top) for value in cells) for cells in drawn)
            lines.append(_row(label, [f"{each:<{column - 2}}" for each in blocks], column))
    return lines


def _row(label: str, cells: Sequence[str], column: int) -> str:
    shown = (f"{shortened(cell, column - 2):>{column}}" for cell in cells)
    return f"{shortened(label, LABEL):<{LABEL}}{''.join(shown)}".rstrip()


def shortened(text: str, most: int) -> str:
    """A text of at most so many characters; … says that more follows."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _count_of(kind: str, result: LoadResult) -> str:
    return f"{result.errors.get(kind, 0):,}"


def _most(of: Callable[[Point], int | None], result: LoadResult) -> str:
    known = [value for point in result.points if (value := of(point)) is not None]
    return f"{max(known):,}" if known else _NOTHING


def _steps(lowest: float, highest: float) -> Iterator[float]:
    """1, 2, 5, 10 … from below the lowest up to the highest."""
    power = floor(log10(max(lowest, 1e-6)))
    steps = [base * 10.0**exponent for exponent in range(power - 1, 6) for base in (1, 2, 5)]
    first = max(index for index, step in enumerate(steps) if step < lowest or index == 0)
    for step in steps[first:]:
        yield step
        if step >= highest * 0.999999:
            return


def _share(result: LoadResult, below: float, upto: float) -> float:
    within = sum(number for value, number in result.histogram if below * 1.000001 < value <= upto * 1.000001)
    return within / result.samples if result.samples else 0.0


def _percent(share: float) -> str:
    return "" if not share else f"{share:.1%}" if share >= 0.0005 else "<0.1%"


def _cells(
    points: Sequence[Point], of: Callable[[Point], float | None], seconds: float, count: int
) -> list[float | None]:
    """The largest value in each part of the time; None where nothing is known."""
    count = min(count, max(1, round(seconds / INTERVAL)))
    found: list[float | None] = [None] * count
    for point in points:
        value, cell = of(point), min(count - 1, int(max(0.0, point.at - INTERVAL / 2) / seconds * count))
        before = found[cell]
        if value is not None and (before is None or value > before):
            found[cell] = value
    return found


def _block(value: float | None, top: float) -> str:
    if value is None:
        return " "
    return _LEVELS[max(1, round(value / top * (len(_LEVELS) - 1)))] if top > 0 else _LEVELS[1]


_GAUGES: Sequence[tuple[str, Callable[[Point], int | None]]] = (
    ("accept queue", lambda point: point.queue),
    ("unread bytes", lambda point: point.unread),
    ("threads", lambda point: point.threads),
    ("processes", lambda point: point.processes),
)
_SERIES: Sequence[Series] = (
    ("answered/s", lambda point: point.done / INTERVAL, lambda value: f"{value:,.0f}"),
    ("p99", lambda point: point.p99, time_text),
    ("waiting", lambda point: point.waiting, lambda value: f"{value:,.0f}"),
    ("accept queue", lambda point: point.queue, lambda value: f"{value:,.0f}"),
    ("unread", lambda point: point.unread, lambda value: f"{value:,.0f}"),
    ("threads", lambda point: point.threads, lambda value: f"{value:,.0f}"),
)
