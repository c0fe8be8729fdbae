"""Runs of a load made by hand: the same values on any machine."""

from __future__ import annotations

from collections.abc import Sequence

from netlab.load.plan import LoadPlan, PlainBytes
from netlab.load.points import Point
from netlab.load.result import LoadResult, Percentiles
from netlab.ui.load.shown_run import ShownRun


def plan(seconds: float = 10.0, *, closed: bool = False) -> LoadPlan:
    return LoadPlan(PlainBytes(b"Hello"), clients=20, rate=200.0, seconds=seconds, closed=closed)


def point(at: float, latency: float | None, *, queue: int | None = 0, threads: int = 1, waiting: int = 0) -> Point:
    """20 requests are planned; all are answered, unless nothing is (no latency)."""
    shares = [None] * 5 if latency is None else [latency * factor for factor in (1, 1.6, 4, 7, 10)]
    done = 0 if latency is None else 20
    unread = None if queue is None else queue * 5
    return Point(at, 20, done, done, {}, *shares, waiting, min(queue or 0, 5), 0, queue, unread, threads, 1)


def stalling() -> list[Point]:
    """Ten seconds of ``single``: it slows down, then answers nothing for a second and a half, then catches up."""
    points = []
    for number in range(1, 101):
        at, stalls, after = number / 10, 30 <= number < 45, max(60 - number, 0) if number >= 45 else 0
        latency = None if stalls else 0.002 * (1 + number / 20) + after * 0.1
        waits = (number - 30) * 20 if stalls else after * 18
        points.append(point(at, latency, queue=5 if stalls or after else number % 4, waiting=waits))
    return points


def steady() -> list[Point]:
    """Ten seconds of ``threading``: as many threads as clients, and nobody waits."""
    return [point(number / 10, 0.0016 + (number % 7) * 0.0001, threads=21) for number in range(1, 101)]


def shown(letter: str, name: str, points: Sequence[Point], **found: object) -> ShownRun:
    """A run that has ended."""
    counts: dict[float, int] = {}
    for each in points:
        for value, share in ((each.p50, 16), (each.p99, 4)):
            if value is not None:
                counts[round(value, 4)] = counts.get(round(value, 4), 0) + share
    values: dict[str, object] = {
        "latency": Percentiles(0.0021, 0.0042, 0.31, 0.82, 1.2, 0.03), "errors": {}, "complete": True, "done": 2000,
        **found,
    }  # fmt: skip
    result = LoadResult(
        plan(), name, 10.0, 10.0, 2000, 2000, samples=2000, at_least=0, from_sending=Percentiles(), late=0, latest=0.0,
        busy=0.2, histogram=tuple(sorted(counts.items())), points=tuple(points), **values,
    )  # type: ignore[arg-type]  # fmt: skip
    return ShownRun(letter, name, plan(), points, result)


def two_models() -> tuple[ShownRun, ShownRun]:
    quick = Percentiles(0.0018, 0.0029, 0.0072, 0.013, 0.018, 0.002)
    errors = {"timed out": 13, "connection reset": 2}
    return shown("A", "single", stalling(), errors=errors, done=1985), shown("B", "threading", steady(), latency=quick)
