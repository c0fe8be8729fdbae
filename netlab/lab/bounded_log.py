"""A bounded sequence that drops its oldest items and counts them. It holds logs and transcripts."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar, overload

T = TypeVar("T")


class BoundedLog(Sequence[T], Generic[T]):
    """The last ``limit`` items that were appended. Safe to append and read from several threads.

    Each item has a position, counted from 0 over all items ever appended. A reader remembers the position that it has
    reached, asks ``since`` for the rest, and can see how many items it missed.
    """

    def __init__(self, limit: int) -> None:
        self._items: deque[T] = deque(maxlen=limit)
        self._lock = threading.Lock()
        self._total = 0

    @property
    def total(self) -> int:
        """How many items were ever appended."""
        return self._total

    @property
    def forgotten(self) -> int:
        """How many of the oldest items were dropped."""
        with self._lock:
            return self._total - len(self._items)

    def append(self, item: T) -> None:
        """Add an item. At the limit, the oldest one is dropped."""
        with self._lock:
            self._items.append(item)
            self._total += 1

    def since(self, position: int) -> tuple[list[T], int]:
        """The items from ``position`` on that are still held, and the position for the next call."""
        with self._lock:
            first = self._total - len(self._items)
            start = max(0, position - first)
            return [self._items[i] for i in range(start, len(self._items))], self._total

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        with self._lock:
            return list(self._items)[index] if isinstance(index, slice) else self._items[index]

    def __iter__(self) -> Iterator[T]:
        with self._lock:
            return iter(list(self._items))
