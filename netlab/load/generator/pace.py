"""What the drivers of a load share: the plan, its times, the clock, the counts, and what is due at each tick."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable

from netlab.load import failures
from netlab.load.generator.clock import Clock
from netlab.load.generator.load_counts import LoadCounts
from netlab.load.plan import LoadPlan
from netlab.load.points import INTERVAL, Point
from netlab.load.schedule import planned_times


class Pace:
    """Where a run stands. ``report`` gets each point, ``asked`` says whether the run is to end now."""

    def __init__(self, plan: LoadPlan, report: Callable[[Point], None], asked: Callable[[], bool]) -> None:
        self.plan, self.counts, self.clock = plan, LoadCounts(), Clock()
        self.times: array[float] = array("d") if plan.closed else planned_times(plan)
        self.end = plan.seconds
        """When the last request may be planned; earlier if somebody asked for it."""
        self.last = plan.seconds + plan.timeout
        """When the last request that waited for a client may leave."""
        self.stopped = False
        self.next_tick = INTERVAL
        self._report, self._asked = report, asked

    def tick(self, now: float, in_flight: int) -> None:
        """Report the interval that ends, and notice whether the run is to end."""
        self._report(self.counts.point(now, self.planned(now), in_flight))
        self.next_tick = now - now % INTERVAL + INTERVAL
        if self._asked():
            self.stopped, self.end, self.last = True, min(self.end, now), now

    def planned(self, now: float) -> int:
        """How many requests are planned by now."""
        return self.counts.sent if self.plan.closed else bisect_right(self.times, min(now, self.end))

    def close(self, next_index: int, now: float, in_flight: int) -> None:
        """The planned requests from this one on were never sent; report the last interval."""
        for planned in self.times[next_index : self.planned(self.end)]:
            self.counts.unanswered(failures.NEVER_SENT, planned, None, now)
        self._report(self.counts.point(now, self.planned(self.end), in_flight))
