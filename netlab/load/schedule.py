"""When the requests of an open loop are planned: at random moments, as clients that know nothing of each other come."""

from __future__ import annotations

from array import array
from math import sqrt
from random import Random

from netlab.load.plan import LoadPlan


def planned_times(plan: LoadPlan) -> array[float]:
    """Seconds from the start, ascending: a Poisson process with exactly `LoadPlan.requests`; the same for each seed.

    Given their number, the times of a Poisson process are uniform. The smallest of n uniform numbers is
    ``1 - u ** (1 / n)``, so they can be drawn in order.
    """
    random, total, ramp, rate = Random(plan.seed).random, plan.requests, plan.ramp, plan.rate
    times, position = array("d"), 0.0
    rising = rate * ramp / 2  # requests of the ramp
    for left in range(total, 0, -1):
        position += (total - position) * (1.0 - random() ** (1.0 / left))
        times.append(sqrt(2.0 * ramp * position / rate) if position < rising else position / rate + ramp / 2)
    return times
