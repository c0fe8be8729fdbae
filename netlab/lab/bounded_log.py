"""A bounded sequence that forgets its oldest items and says how many: what logs and transcripts are kept in."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar, overload

T = TypeVar("T")


class BoundedLog(Sequence[T], Generic[T]):
    """The last ``limit`` items of what was appended, safe to append and read from several threads.

    Items have a position counted from 0 over all that was ever appended, so a reader that remembers the position it
    has reached asks ``since`` for the rest and can tell what it missed.
    """

    def __init__(self, limit: int) -> None:
        self._items: deque[T] = deque(maxlen=limit)
        self._lock = threading.Lock()
        self._total = 0

    @property
    def total(self) -> int:
        """How many were ever appended."""
        return self._total

    @property
    def forgotten(self) -> int:
        """How many of the oldest are no longer here."""
        with self._lock:
            return self._total - len(self._items)

    def append(self, item: T) -> None:
        """Add an item; the oldest one goes when the limit is reached."""
        with self._lock:
            self._items.append(item)
            self._total += 1

    def since(self, position: int) -> tuple[list[T], int]:
        """The items from ``position`` on that are still here, and the position to ask from next time."""
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
