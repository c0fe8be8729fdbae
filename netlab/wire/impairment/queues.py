"""Where segments wait: in order for streams, by time for datagrams. Pure; times are the caller's clock, in seconds."""

from __future__ import annotations

import math
import sys
from collections import deque
from heapq import heapify, heappop, heappush
from typing import Final, Generic, Protocol, TypeVar

T = TypeVar("T")

EVERYTHING: Final = sys.maxsize
_EMPTY_PLACES: Final = 64
"""Entries of items that have left already; more of them in a heap, and it is swept."""


class Queue(Protocol[T]):
    """What both kinds of queue do."""

    def __len__(self) -> int: ...

    def put(self, item: T, time: float, behind: int = 0) -> None:
        """Let it wait until ``time``; or, if overtaking is allowed, until ``behind`` later ones went ahead."""

    def take(self, clock: float, most: int = EVERYTHING) -> list[T]:
        """What has waited long enough by now, in the order in which it leaves; about ``most`` of it."""

    def release(self) -> None:
        """Let everything go at the next `take`, in the order in which it came."""

    @property
    def next_release(self) -> float:
        """When something can be taken next; infinity means never."""


class OrderedQueue(Generic[T]):
    """A stream's: nothing leaves before what came first."""

    def __init__(self) -> None:
        self._items: deque[tuple[float, T]] = deque()

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T, time: float, behind: int = 0) -> None:
        """Let it wait until ``time``, and at least as long as everything before it."""
        self._items.append((time, item))

    def take(self, clock: float, most: int = EVERYTHING) -> list[T]:
        """What has waited long enough by now, in order; ``most`` at most."""
        taken: list[T] = []
        while self._items and self._items[0][0] <= clock and len(taken) < most:
            taken.append(self._items.popleft()[1])
        return taken

    def release(self) -> None:
        """Let everything go at the next `take`."""
        self._items = deque((-math.inf, item) for _, item in self._items)

    @property
    def next_release(self) -> float:
        """When the first can be taken; infinity means never."""
        return self._items[0][0] if self._items else math.inf


class OvertakingQueue(Generic[T]):
    """Datagrams': each leaves at its own time, or once as many later ones as it stays behind went ahead of it."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int]] = []
        self._items: dict[int, T] = {}  # by number; what has left by being overtaken is in the heap without an item
        self._behind: dict[int, int] = {}
        self._number = 0

    def __len__(self) -> int:
        return len(self._items)

    @property
    def entries(self) -> int:
        """What it remembers in all, also of what has left already."""
        return len(self._heap) + len(self._behind)

    def put(self, item: T, time: float, behind: int = 0) -> None:
        """Let it wait until ``time``, or until ``behind`` later ones went ahead (0: it is not to be overtaken)."""
        self._number += 1
        self._items[self._number] = item
        heappush(self._heap, (time, self._number))
        if behind:
            self._behind[self._number] = behind

    def take(self, clock: float, most: int = EVERYTHING) -> list[T]:
        """What has waited long enough by now, by time, then by number; about ``most`` of it."""
        taken: list[T] = []
        while self._heap and self._heap[0][0] <= clock and len(taken) < most:
            self._leave(heappop(self._heap)[1], taken)
        if len(self._heap) > 2 * len(self._items) + _EMPTY_PLACES:
            self._heap = [(time, number) for time, number in self._heap if number in self._items]
            heapify(self._heap)
        return taken

    def _leave(self, number: int, taken: list[T]) -> None:
        """Take one, and those that were only waiting for it to overtake them."""
        if number not in self._items:
            return
        taken.append(self._items.pop(number))
        self._behind.pop(number, None)
        overtaken = [waiting for waiting in self._behind if waiting < number]
        for waiting in overtaken:
            self._behind[waiting] -= 1
        for waiting in overtaken:
            if self._behind.get(waiting) == 0:
                self._leave(waiting, taken)

    def release(self) -> None:
        """Let everything go at the next `take`, in the order in which it came."""
        self._behind.clear()
        self._heap = [(-math.inf, number) for number in sorted(self._items)]

    @property
    def next_release(self) -> float:
        """When the next can be taken; infinity means never."""
        while self._heap and self._heap[0][1] not in self._items:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else math.inf
