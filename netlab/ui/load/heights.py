"""How the rows of a load's picture are shared between rate, latency and gauges. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from netlab.ui.load.shown_run import Gauge

_LEAST_LATENCY, _MOST_LATENCY, _MOST_ROWS = 3, 16, 4


@dataclass(frozen=True, slots=True)
class Heights:
    """How many rows rate and latency have, and each gauge that has any."""

    rate: int
    latency: int
    gauges: Mapping[Gauge, int]

    @classmethod
    def of(cls, gauges: Sequence[Gauge], rows: int, least: int = 1) -> Heights:
        """Share the rows: gauges that find none are left out, the last ones first."""
        gauges = list(gauges)
        while gauges and _LEAST_LATENCY + least * (1 + len(gauges)) > rows:
            gauges.pop()
        found = {"rate": least, "latency": _LEAST_LATENCY, **{gauge.name: least for gauge in gauges}}
        turns = ["latency", "latency", "rate", "latency", *(gauge.name for gauge in gauges)]
        left, turn = rows - sum(found.values()), 0
        while left > 0 and any(found[each] < _most_of(each) for each in turns):
            each = turns[turn % len(turns)]
            turn += 1
            if found[each] < _most_of(each):
                found[each] += 1
                left -= 1
        return cls(found["rate"], found["latency"], {gauge: found[gauge.name] for gauge in gauges})


def _most_of(name: str) -> int:
    return _MOST_LATENCY if name == "latency" else _MOST_ROWS
