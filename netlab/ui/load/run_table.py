"""The last runs of a tab as a table: percentiles, rate and errors of each. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from netlab.load.load_text import shortened
from netlab.load.result import Percentiles
from netlab.ui.load.bars import spell
from netlab.ui.load.shown_run import ShownRun

_HEADS = ("p50", "p90", "p99", "p99.9", "max")
_CELL = 9
_NAME = 16
"""Columns of the mark, the letter and the name."""
_FEW = 2
"""The percentiles that are left out first in little room: p90, then p99.9."""


def table(runs: Sequence[ShownRun], chosen: int, width: int) -> list[tuple[str, bool]]:
    """The heads and a row for each run, as text; True marks the chosen one. ``▸`` marks it, too."""
    heads = [head for head in _HEADS if head not in _left_out(width)]
    room = max(width - _NAME - _CELL * (len(heads) + 2), 0)
    plans = room > 24
    rows = [
        (" " * _NAME + "".join(f"{head:>{_CELL}}" for head in (*heads, "rate", "errors")) + "  load" * plans, False)
    ]
    for index, run in enumerate(runs):
        mark = "▸" if index == chosen else " "
        running = "" if run.result is not None else " ◔"
        name = f"{mark}{run.letter} {shortened(run.name, _NAME - 4 - len(running))}{running}"
        cells = [_percentile(run, head) for head in heads] + [_rate(run), f"{_errors(run):,}"]
        plan = shortened(f"  {plan_words(run)}", room) if plans else ""
        rows.append((f"{name:<{_NAME}}" + "".join(f"{cell:>{_CELL}}" for cell in cells) + plan, index == chosen))
    return [(text[:width].rstrip(), shown) for text, shown in rows]


def _left_out(width: int) -> Sequence[str]:
    missing = _NAME + _CELL * (len(_HEADS) + 2) - width
    return ("p90", "p99.9", "p50", "max")[: -(-missing // _CELL)] if missing > 0 else ()


def plan_words(run: ShownRun) -> str:
    """The plan in a few words: ``20 clients, 200/s for 10 s``."""
    plan = run.plan
    clients = f"{plan.clients:,} client{'s' * (plan.clients != 1)}"
    rate = "closed loop" if plan.closed else f"{plan.rate:,g}/s"
    return f"{clients}, {rate} for {plan.seconds:g} s"


def _latency(run: ShownRun) -> Percentiles:
    """Of the whole run; while it runs, of the last interval in which something was done."""
    if run.result is not None:
        return run.result.latency
    last = next((point for point in reversed(run.points) if point.p50 is not None), None)
    return Percentiles(last.p50, last.p90, last.p99, last.p999, last.maximum) if last is not None else Percentiles()


def _percentile(run: ShownRun, head: str) -> str:
    latency = _latency(run)
    values = dict(zip(_HEADS, latency, strict=False))
    value = values[head]
    return spell(value) if value is not None else "–"


def _rate(run: ShownRun) -> str:
    if run.result is not None:
        return f"{run.result.throughput:,.0f}/s"
    seconds = run.points[-1].at if run.points else 0.0
    return f"{sum(point.done for point in run.points) / seconds:,.0f}/s" if seconds else "–"


def _errors(run: ShownRun) -> int:
    return sum(errors_of(run).values())


def errors_of(run: ShownRun) -> dict[str, int]:
    """The errors by kind, so far."""
    if run.result is not None:
        return dict(run.result.errors)
    found: dict[str, int] = {}
    for point in run.points:
        for kind, count in point.errors.items():
            found[kind] = found.get(kind, 0) + count
    return found
