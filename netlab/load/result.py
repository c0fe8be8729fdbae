"""What a load has found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from netlab.load.plan import LoadPlan
from netlab.load.points import Point

LATE: Final = 0.001
"""Seconds after its planned time at which a request has left late, though a client was free."""
SOME_LATE, MOST_LATE = 0.01, 0.1
"""The shares of late requests above which percentiles suffer, and above which the generator has not kept the plan."""
BUSY: Final = 0.95
"""The share of one processor above which the generator was the limit."""


class Percentiles(NamedTuple):
    """Latencies in seconds, of all samples; None if there are none."""

    p50: float | None = None
    p90: float | None = None
    p99: float | None = None
    p999: float | None = None
    maximum: float | None = None
    mean: float | None = None


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What one load has found; also of a load that was ended early (``complete`` is False).

    ``latency`` counts from the planned time (closed loop: from the sending), over ``samples``; of these
    ``at_least`` had no answer (timed out, or never sent) and count with the time that they had waited.
    ``from_sending`` is the same counted from when each request left, which is what a load without a plan would say.
    ``planned``, ``sent`` and ``done`` are requests, ``errors`` those that failed, by kind, in words. ``late`` requests
    left late because of the generator itself, ``latest`` seconds at most; ``busy`` is its share of one processor.
    ``seconds`` is how long requests were planned, ``last_answer`` when the last right answer came, ``histogram``
    (latency in seconds, samples) in ascending order.
    """

    plan: LoadPlan
    model: str
    seconds: float
    last_answer: float
    planned: int
    sent: int
    done: int
    errors: Mapping[str, int]
    samples: int
    at_least: int
    latency: Percentiles
    from_sending: Percentiles
    late: int
    latest: float
    busy: float
    complete: bool
    histogram: tuple[tuple[float, int], ...] = field(repr=False)
    points: tuple[Point, ...] = field(repr=False)

    @property
    def throughput(self) -> float:
        """Right answers a second, until the last of them came."""
        took = max(self.seconds, self.last_answer)
        return self.done / took if took else 0.0

    @property
    def failed(self) -> int:
        """Requests that failed, of any kind."""
        return sum(self.errors.values())

    @property
    def kept_plan(self) -> bool:
        """Whether the generator itself kept the plan; if not, the server was not under this load."""
        return self.late <= self.sent * MOST_LATE and self.busy < BUSY

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to know before one believes the figures, in sentences."""
        found = []
        if (late := self._about_lateness()) is not None:
            found.append(late)
        if self.at_least:
            found.append(
                f"{self.at_least:,} of {self.samples:,} samples had no answer: they count with the time they had waited"
            )
        if not self.complete:
            found.append(f"the load was ended after {self.seconds:.1f} of {self.plan.seconds:g} s")
        if 0 < self.samples < 1000:
            found.append(f"{self.samples:,} samples are few: p99.9 needs 1,000 at least")
        return tuple(found)

    def _about_lateness(self) -> str | None:
        left = f"{self.late:,} of {self.sent:,} requests left late though a client was free, by up to"
        left = f"{left} {self.latest * 1000:,.1f} ms"
        if self.late > self.sent * MOST_LATE:
            return f"the generator did not keep the plan, so the server was not under this load: {left}"
        if self.busy >= BUSY:
            return f"the generator was the limit, not the server: it used {self.busy:.0%} of a processor"
        return f"{left}: the latencies include that" if self.late > self.sent * SOME_LATE else None
