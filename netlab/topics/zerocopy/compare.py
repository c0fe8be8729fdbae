"""The same payload, received in every way, in turns; what each way costs, by the medians of its runs."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import replace

from netlab.topics.zerocopy.transfer import NOTHING, Transfer
from netlab.topics.zerocopy.ways import QUADRATIC, WAYS

MOST_QUADRATIC = 1 << 25
RUNS = {1 << 20: (15, 93), 1 << 21: (9, 45), 1 << 24: (5, 27), 1 << 26: (5, 9), 1 << 28: (3, 5)}
"""How often each way runs at least and at most, up to which size; once beyond. A busy machine needs more runs."""


class Comparison(list[Transfer]):
    """Of each way the last transfer, with the medians of its times. ``now`` is the transfer that runs, or ran last."""

    def __init__(self, transfers: Iterable[Transfer] = ()) -> None:
        super().__init__()
        self.runs, self.now = 0, Transfer("", 0)
        self._times: dict[str, list[tuple[float, float]]] = {}
        for each in transfers:
            self.add(each)

    def add(self, transfer: Transfer) -> None:
        """One run more."""
        times = self._times.setdefault(transfer.way, [])
        times.append((transfer.seconds, transfer.processor))
        self.runs = max(self.runs, len(times))
        seconds, processor = (sorted(column)[len(times) // 2] for column in zip(*times, strict=True))
        found = replace(transfer, buffer=NOTHING, seconds=seconds, processor=processor)
        ways = {each.way: each for each in (*self, found)}
        self[:] = [ways[way] for way in WAYS if way in ways]

    def plan(self, size: int) -> Iterator[tuple[str, int]]:
        """The ways in turn, each with how many runs there are in all, as far as is known: until it is settled."""
        least, most = next((runs for largest, runs in RUNS.items() if size <= largest), (1, 1))
        planned = sum(len(turn(number, size)) for number in range(least))
        for number in range(most):
            if number >= least:
                if self.settled():
                    return
                planned += len(turn(number, size))
            for way in turn(number, size):
                yield way, planned

    def settled(self) -> bool:
        """Whether more runs would hardly change which ways cost less, those that copy once or those that copy twice."""
        groups = [[each for each in self if round(each.copied / each.size) == copies] for copies in (1, 2)]
        spans = [[self._median_lies(each.way) for each in group if not each.failure] for group in groups]
        return all(one[1] < two[0] or two[1] < one[0] for one in spans[0] for two in spans[1])

    def _median_lies(self, way: str) -> tuple[float, float]:
        """Between which processor times a way's true median lies, 5 times in 6 (order statistics, 1.4 sigma)."""
        times = sorted(processor for _, processor in self._times[way])
        around = math.ceil(0.7 * math.sqrt(len(times)))
        middle = len(times) // 2
        return times[max(middle - around, 0)], times[min(middle + around, len(times) - 1)]

    def in_the_way(self) -> str:
        """What the times contain, in two sentences."""
        slow = " (concatenate: one)" if any(each.way in QUADRATIC for each in self) else ""
        runs = f"Medians of {self.runs} interleaved runs{slow}" if self.runs > 1 else "One run each"
        return f"{runs}. cpu is this thread's own work; time also counts server, relay and screen."

    def __repr__(self) -> str:
        lines = [f"{'way':<15} {'cpu ms':>6} {'time':>6} {'copied':>6} {'peak':>5}"]
        for each in self:
            times = f"{_figure(each.processor * 1000):>6} {_figure(each.seconds * 1000):>6}"
            cost = f"{times} {_figure(each.copied / each.size):>5}× {each.peak / each.size:4.2f}×"
            lines.append(f"{each.way:<15} {each.failure or cost}")
        return "\n".join([*lines, *textwrap.wrap(self.in_the_way(), 42)])


def turn(number: int, size: int) -> list[str]:
    """One round: each begins with another way, so that a busy moment meets all. What is slow runs once."""
    if number == 0 and size <= MOST_QUADRATIC:
        return list(WAYS)
    quick = [way for way in WAYS if way not in QUADRATIC]
    return quick[number % len(quick) :] + quick[: number % len(quick)]


def _figure(value: float) -> str:
    """Five characters at most, where that is enough: 1.04, 12.35, 130.0, 1249."""
    return f"{value:.2f}" if value < 100 else f"{value:.1f}" if value < 1000 else f"{value:.0f}"
