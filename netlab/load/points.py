"""One interval of a load on the time axis, and what the server is asked in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

INTERVAL: Final = 0.1
"""Seconds between two points."""


class GaugeValues(NamedTuple):
    """What is known of the server now: connections in its accept queue, bytes that it has not read, and so on.

    None means unknown.
    """

    queue: int | None = None
    unread: int | None = None
    threads: int | None = None
    processes: int | None = None


class Point(NamedTuple):
    """An interval that ended ``at`` seconds from the run's start. Latencies are seconds; None if nothing was done.

    ``planned``, ``sent``, ``done`` (answered rightly) and ``errors`` (by kind, in words) count this interval;
    ``waiting`` (planned and not yet sent) and ``in_flight`` (sent and not yet answered) are as of its end.
    ``late`` counts requests that left late because of the generator itself.
    """

    at: float
    planned: int
    sent: int
    done: int
    errors: Mapping[str, int]
    p50: float | None
    p90: float | None
    p99: float | None
    p999: float | None
    maximum: float | None
    waiting: int
    in_flight: int
    late: int = 0
    queue: int | None = None
    unread: int | None = None
    threads: int | None = None
    processes: int | None = None
