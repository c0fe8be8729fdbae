"""The histogram of latencies is hdrhistogram's, an extra: this says what to do where it lacks."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Final, Protocol, cast

from netlab.lab.errors import LabError

_LONGEST: Final = 4 * 3600 * 1_000_000
"""Microseconds of the longest latency: a request may wait as long as the load lasts."""
_DIGITS: Final = 3


class Bucket(Protocol):
    """Some recorded values that count as the same."""

    value_iterated_to: int
    count_added_in_this_iter_step: int


class Histogram(Protocol):
    """What netlab uses of `hdrh.histogram.HdrHistogram`; values are microseconds."""

    total_count: int

    def record_value(self, value: int, /) -> bool:
        """Count a value."""

    def get_value_at_percentile(self, percentile: float, /) -> int:
        """The value that so many percent do not exceed."""

    def get_max_value(self) -> int:
        """The largest value."""

    def get_mean_value(self) -> float:
        """The mean of all values."""

    def get_recorded_iterator(self) -> Iterator[Bucket]:
        """The values that were recorded, in ascending order."""


def lacking() -> str:
    """Why no load can be measured here, in one line; empty if it can."""
    if find_spec("hdrh") is not None:
        return ""
    return "a load is measured with hdrhistogram, which is not installed; try pip install hdrhistogram"


def refuse_without() -> None:
    """Raise `LabError` where hdrhistogram lacks."""
    if reason := lacking():
        what, _, advice = reason.partition("; ")
        raise LabError(what, advice)


def new_histogram() -> Histogram:
    """An empty one, for a microsecond up to four hours, with three digits."""
    return cast("Histogram", import_module("hdrh.histogram").HdrHistogram(1, _LONGEST, _DIGITS))
