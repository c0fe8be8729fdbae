"""A run of a load as the pane shows it: its letter and name, its points, and what a column of the axis shows of them.

Pure: it knows no widget and no lab.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from netlab.capture.model import Transport
from netlab.load.plan import LoadPlan
from netlab.load.points import INTERVAL, Point
from netlab.load.result import LoadResult
from netlab.ui.load.time_axis import TimeAxis
from netlab.ui.widgets.formatting import size


@dataclass(frozen=True, slots=True)
class ShownRun:
    """One run. ``letter`` names it where several are laid over each other; ``name`` is its model or server.

    ``result`` is None while it runs. ``remarks`` are sentences about it that the result does not know.
    """

    letter: str
    name: str
    plan: LoadPlan
    points: Sequence[Point]
    result: LoadResult | None = None
    remarks: tuple[str, ...] = ()

    @property
    def length(self) -> float:
        """Seconds of its axis: those that are planned, or more if the last answers came later."""
        return max(self.plan.seconds, self.points[-1].at if self.points else 0.0)

    def in_columns(self, axis: TimeAxis) -> list[Sequence[Point]]:
        """The points of each column; where a column is narrower than an interval, the one around it."""
        middles = [point.at - INTERVAL / 2 for point in self.points]
        starts = [bisect_left(middles, axis.time(column)) for column in range(axis.columns + 1)]
        columns = []
        for column, (first, end) in enumerate(pairwise(starts)):
            columns.append(self.points[first:end] or self._around(axis.time(column), first))
        return columns

    def _around(self, time: float, after: int) -> Sequence[Point]:
        """The point whose interval has a time; ``after`` is the first one with a later middle."""
        near = self.points[max(after - 1, 0) : after + 1]
        return [point for point in near if point.at - INTERVAL <= time < point.at][:1]


def worst(points: Sequence[Point]) -> Point | None:
    """The point with the longest p99 among those in which something was done."""
    return max((point for point in points if point.p99 is not None), key=lambda point: point.p99 or 0, default=None)


@dataclass(frozen=True, slots=True)
class Gauge:
    """A figure over time: its name, its value in a column's points (None: unknown), and that value in words."""

    name: str
    value: Callable[[Sequence[Point]], float | None]
    words: Callable[[float], str]


def _most(field: str) -> Callable[[Sequence[Point]], float | None]:
    def most(points: Sequence[Point]) -> float | None:
        return max((value for point in points if (value := getattr(point, field)) is not None), default=None)

    return most


def _rate(points: Sequence[Point]) -> float | None:
    return sum(point.done for point in points) / (len(points) * INTERVAL) if points else None


def _count(value: float) -> str:
    return f"{value:,.0f}"


RATE = Gauge("rate", _rate, lambda value: f"{value:,.0f}/s")
QUEUE = Gauge("queue", _most("queue"), _count)
UNREAD = Gauge("unread", _most("unread"), lambda value: size(int(value)))
THREADS = Gauge("threads", _most("threads"), _count)
PROCESSES = Gauge("procs", _most("processes"), _count)
WAITING = Gauge("waiting", _most("waiting"), _count)


def gauges_of(runs: Sequence[ShownRun]) -> list[Gauge]:
    """The gauges below the latency, the most important first; processes in place of threads where there are several.

    UDP has no accept queue, and what lies unread is only asked of TCP.
    """
    points = [point for run in runs for point in run.points]
    processes = any((point.processes or 0) > 1 for point in points)
    threads = not processes or any((point.threads or 0) > 1 for point in points)
    tcp = any(run.plan.operation.transport is Transport.TCP for run in runs)
    return [*[QUEUE] * tcp, *[THREADS] * threads, *[PROCESSES] * processes, *[UNREAD] * tcp, WAITING]
