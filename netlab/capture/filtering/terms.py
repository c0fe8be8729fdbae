"""The parts of a filter: each tests a segment, or finds those that it means among rows of a capture's index.

The second way makes no segment unless it must. It says the same as the first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol

from netlab.capture.conversations import FLAG_BITS, direction
from netlab.capture.model import Direction, Kind, Segment

Compare = Callable[[int, int], bool]


class IndexedSegments(Protocol):
    """What terms ask of an index. Rows count from 0; where several are given they ascend."""

    @property
    def routes(self) -> Sequence[int]:
        """The route of each segment."""

    @property
    def lengths(self) -> Sequence[int]:
        """The length of each segment."""

    def events(self, rows: Sequence[int]) -> Collection[int]:
        """Those that are not `Kind.DATA`."""

    def remarked(self, rows: Sequence[int]) -> Collection[int]:
        """Those that may have `Segment.words`."""

    def holding(self, rows: Sequence[int], wanted: bytes, any_case: bool) -> Iterator[tuple[int, bool]]:
        """Those that may hold these bytes, and whether they are known to."""

    def segment(self, row: int) -> Segment:
        """The segment at a row. Raises `LookupError` if it is gone."""


class Term(Protocol):
    """A part of a filter, or all of it."""

    def matches(self, segment: Segment) -> bool:
        """Whether a segment is meant."""

    def among(self, rows: Sequence[int], index: IndexedSegments) -> Sequence[int]:
        """Which of these rows are meant."""


class AllOf(NamedTuple):
    """Every one of some terms; without any, all segments."""

    terms: tuple[Term, ...] = ()

    def matches(self, segment: Segment) -> bool:
        """See `Term`."""
        return all(term.matches(segment) for term in self.terms)

    def among(self, rows: Sequence[int], index: IndexedSegments) -> Sequence[int]:
        """See `Term`. Where bytes are to be read, as few rows as possible are left."""
        for term in sorted(self.terms, key=_cost):
            rows = term.among(rows, index) if rows else rows
        return rows


class AnyOf(NamedTuple):
    """At least one of some terms."""

    terms: tuple[Term, ...]

    def matches(self, segment: Segment) -> bool:
        """See `Term`."""
        return any(term.matches(segment) for term in self.terms)

    def among(self, rows: Sequence[int], index: IndexedSegments) -> Sequence[int]:
        """See `Term`."""
        found, left = set[int](), rows
        for term in sorted(self.terms, key=_cost):
            found.update(term.among(left, index))
            left = [row for row in rows if row not in found]
        return sorted(found)


class NotThat(NamedTuple):
    """The opposite of a term."""

    term: Term

    def matches(self, segment: Segment) -> bool:
        """See `Term`."""
        return not self.term.matches(segment)

    def among(self, rows: Sequence[int], index: IndexedSegments) -> Sequence[int]:
        """See `Term`."""
        others = frozenset(self.term.among(rows, index))
        return [row for row in rows if row not in others]


class OfFlow(NamedTuple):
    """Of the flow with a number."""

    number: int

    def matches(self, segment: Segment) -> bool:
        """See `Term`."""
        return segment.flow.number == self.number

    def among(self, rows: Sequence[int], index: IndexedSegments) -> Sequence[int]:
        """See `Term`."""
        routes, flow = index.routes, self.number - 1
        return [row for row in rows if routes[row] >> FLAG_BITS == flow]


class OneWay(NamedTuple):
    """In one direction."""

    way: Direction

    def matches(self, segment: Segment) -> bool:
        """See `Term`."""
        return segment.direction is self.way

    def among(self, rows: Sequence[int], index: IndexedSegments) -> Sequence[int]:
        """See `Term`."""
        routes, ways = index.routes, [direction(bits) is self.way for bits in range(1 << FLAG_BITS)]
        mask = len(ways) - 1
        return [row for row in rows if ways[routes[row] & mask]]


class OfLength(NamedTuple):
    """Of a length that compares so with a number."""

    compare: Compare
    size: int

    def matches(self, segment: Segment) -> bool:
        """See `Term`."""
        return self.compare(segment.length, self.size)

    def among(self, rows: Sequence[int], index: IndexedSegments) -> Sequence[int]:
        """See `Term`."""
        lengths, compare, size = index.lengths, self.compare, self.size
        return [row for row in rows if compare(lengths[row], size)]


class OfKind(NamedTuple):
    """Of a kind; whatever carries bytes is data, too."""

    kind: Kind

    def matches(self, segment: Segment) -> bool:
        """See `Term`."""
        return segment.carries if self.kind is Kind.DATA else segment.kind is self.kind

    def among(self, rows: Sequence[int], index: IndexedSegments) -> Sequence[int]:
        """See `Term`."""
        events = index.events(rows)
        if self.kind is not Kind.DATA:
            return _exactly(events, self, index)
        lengths = index.lengths
        return [row for row in rows if lengths[row] or row not in events]


class Remarked(NamedTuple):
    """With a fate or an outcome, in words that hold a text in lower case."""

    text: str

    def matches(self, segment: Segment) -> bool:
        """See `Term`."""
        return bool(segment.words) and self.text in segment.words.lower()

    def among(self, rows: Sequence[int], index: IndexedSegments) -> Sequence[int]:
        """See `Term`."""
        return _exactly(index.remarked(rows), self, index)


class Holding:
    """With some bytes in it, or in what a fault changed or withheld; in ``any_case`` of ASCII letters, or exactly."""

    def __init__(self, wanted: bytes, *, any_case: bool = False) -> None:
        self._wanted, self._any_case = wanted, any_case
        # A regular expression reads a memoryview in place.
        self._search = re.compile(re.escape(wanted), re.IGNORECASE if any_case else re.NOFLAG).search

    def matches(self, segment: Segment) -> bool:
        """See `Term`."""
        if self._search(segment.data):
            return True
        return segment.original is not None and bool(self._search(segment.original))

    def among(self, rows: Sequence[int], index: IndexedSegments) -> Sequence[int]:
        """See `Term`."""
        candidates = index.holding(rows, self._wanted, self._any_case)
        return [row for row, known in candidates if known or _exactly((row,), self, index)]


def _cost(term: Term) -> int:
    """0 if it reads the index alone, 2 if it reads bytes."""
    match term:
        case NotThat(inner):
            return _cost(inner)
        case AllOf(terms) | AnyOf(terms):
            return max(map(_cost, terms), default=0)
    return 2 if isinstance(term, Holding) else isinstance(term, Remarked | OfKind)


def _exactly(rows: Iterable[int], term: Term, index: IndexedSegments) -> list[int]:
    """Those of these rows that a term means, by their segments."""
    found = []
    for row in rows:
        with suppress(LookupError):
            if term.matches(index.segment(row)):
                found.append(row)
    return found
