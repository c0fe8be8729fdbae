"""The index of a file's segments, in columns: 12 bytes for each as long as nothing in it is large, at most 24.

A column is made wider when a value does not fit. Readers in other threads go by the index's length: a row is there
when all its columns are.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterator
from typing import Final

Append = Callable[[int], None]
_WIDER: Final = {"H": "I", "I": "q"}
_RUN: Final = 1 << 16
"""Rows that are searched at once: other threads wait that long."""


class SegmentIndex:
    """Of each segment: where its block begins, the position and length of its bytes in their stream, and its route."""

    def __init__(self) -> None:
        self.places = array("I")
        self.positions = array("I")
        self.lengths = array("H")
        self.routes = array("H")
        self.events = array("Q")
        """The rows of segments that are no data."""
        self.remarked = array("Q")
        """The rows of segments whose blocks say more than their bytes."""
        self._seen: frozenset[int] = frozenset()
        self._looked = 0

    def __len__(self) -> int:
        return len(self.places)

    def add(self, place: int, position: int, length: int, route: int) -> None:
        """Add a row; what a previous attempt left of it is removed."""
        row = len(self.places)
        self.routes = _appended(self.routes, row, route)
        self.positions = _appended(self.positions, row, position)
        self.lengths = _appended(self.lengths, row, length)
        self.places = _appended(self.places, row, place)  # last, because readers go by its length

    def appends(self) -> tuple[Append, Append, Append, Append]:
        """What appends a value to routes, positions, lengths and places, in this order, the last one last.

        For callers that add many rows. They are valid until `add` is called: as it must be when one raises
        `OverflowError`.
        """
        return self.routes.append, self.positions.append, self.lengths.append, self.places.append

    def of_route(self, route: int, start: int, stop: int) -> Iterator[int]:
        """The rows of a route from ``start`` up to ``stop``, in order."""
        stop = min(stop, len(self))
        for first in range(start, stop, _RUN):
            yield from _rows_with(route, self.routes[first : min(first + _RUN, stop)], first)

    @property
    def all_routes(self) -> frozenset[int]:
        """The routes of its rows."""
        count = len(self)
        if self._looked < count:
            self._seen |= frozenset(self.routes[self._looked : count])
            self._looked = count
        return self._seen


def _appended(column: array[int], row: int, value: int) -> array[int]:
    """The column with a value at a row, the last one; another one if the value does not fit."""
    del column[row:]
    while True:
        try:
            column.append(value)
        except OverflowError:
            column = array(_WIDER[column.typecode], column)
        else:
            return column


def _rows_with(route: int, routes: array[int], first: int) -> Iterator[int]:
    """Where a route stands among these; ``first`` is the row of the first of them.

    Bytes are searched, which is many times faster than numbers. What is found between two numbers hides no more than
    the number that begins in it.
    """
    size = routes.itemsize
    if route >> 8 * size:
        return
    wanted = array(routes.typecode, (route,)).tobytes()
    for found in re.finditer(re.escape(wanted), routes):
        row = -(-found.start() // size)
        if row < len(routes) and routes[row] == route:
            yield first + row
