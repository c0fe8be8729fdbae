"""Counts what becomes of the requests: for the interval, and for the whole load. One thread at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from netlab.load.failures import NEVER_SENT
from netlab.load.histogram import Histogram, new_histogram
from netlab.load.points import Point
from netlab.load.result import LATE, Percentiles

PERCENTS = (50.0, 90.0, 99.0, 99.9)


class LoadCounts:
    """The counts. Times are seconds."""

    def __init__(self) -> None:
        self.planned = self.sent = self.done = self.late = self.at_least = 0
        self.latest = self.last_answer = 0.0
        self.errors: Counter[str] = Counter()
        self._latency, self._from_sending = new_histogram(), new_histogram()
        self._record, self._record_sending = self._latency.record_value, self._from_sending.record_value
        self._recent: list[float] = []
        self._before = (0, 0, 0, 0)
        self._errors_before: Counter[str] = Counter()

    def left(self, planned: float, free: float, sent: float) -> None:
        """A request left at ``sent``; a client was free for it since ``free``."""
        self.sent += 1
        own = sent - (planned if planned > free else free)
        if own > LATE:
            self.late += 1
        if own > self.latest:
            self.latest = own

    def answered(self, planned: float, sent: float, done: float) -> None:
        """A right answer has come."""
        self.done += 1
        self.last_answer = done
        latency = done - planned
        self._recent.append(latency)
        self._record(int(latency * 1e6) or 1)
        self._record_sending(int((done - sent) * 1e6) or 1)

    def failed(self, kind: str) -> None:
        """A request failed at once, which says nothing about latency."""
        self.errors[kind] += 1

    def unanswered(self, kind: str, planned: float, sent: float | None, now: float) -> None:
        """A request was given up: it has waited so long at least."""
        self.errors[kind] += 1
        self.at_least += 1
        self._recent.append(now - planned)
        self._record(max(1, int((now - planned) * 1e6)))
        if sent is not None:
            self._record_sending(max(1, int((now - sent) * 1e6)))

    def point(self, at: float, planned: int, in_flight: int) -> Point:
        """The interval that ends now; ``planned`` requests are planned by then."""
        recent, self._recent = sorted(self._recent), []
        self.planned = planned
        now, before = (planned, self.sent, self.done, self.late), self._before
        errors = self.errors - self._errors_before
        self._before, self._errors_before = now, self.errors.copy()
        p50, p90, p99, p999 = (nearest_rank(recent, percent) for percent in PERCENTS)
        return Point(
            at=round(at, 6),
            planned=now[0] - before[0],
            sent=now[1] - before[1],
            done=now[2] - before[2],
            errors=dict(errors),
            p50=p50,
            p90=p90,
            p99=p99,
            p999=p999,
            maximum=recent[-1] if recent else None,
            waiting=planned - self.sent - self.errors[NEVER_SENT],
            in_flight=in_flight,
            late=now[3] - before[3],
        )

    def summary(self) -> Mapping[str, object]:
        """The whole load so far, for JSON."""
        return {
            "planned": self.planned,
            "sent": self.sent,
            "done": self.done,
            "errors": dict(self.errors),
            "samples": self._latency.total_count,
            "at_least": self.at_least,
            "latency": _percentiles(self._latency),
            "from_sending": _percentiles(self._from_sending),
            "late": self.late,
            "latest": self.latest,
            "last_answer": self.last_answer,
            "histogram": _buckets(self._latency),
        }


def nearest_rank(ascending: Sequence[float], percent: float) -> float | None:
    """The smallest value that so many percent do not exceed."""
    if not ascending:
        return None
    rank = -(-len(ascending) * percent // 100)
    return ascending[max(0, int(rank) - 1)]


def _percentiles(histogram: Histogram) -> Percentiles:
    if not histogram.total_count:
        return Percentiles()
    p50, p90, p99, p999 = (histogram.get_value_at_percentile(percent) / 1e6 for percent in PERCENTS)
    return Percentiles(p50, p90, p99, p999, histogram.get_max_value() / 1e6, histogram.get_mean_value() / 1e6)


def _buckets(histogram: Histogram) -> list[tuple[float, int]]:
    """Latencies with two digits, and how many samples have each."""
    found: Counter[float] = Counter()
    for each in histogram.get_recorded_iterator():
        found[float(f"{each.value_iterated_to / 1e6:.1e}")] += each.count_added_in_this_iter_step
    return sorted(found.items())
