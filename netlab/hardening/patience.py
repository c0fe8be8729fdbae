"""How long a server waits for a client, and the clock by which that is measured."""

from __future__ import annotations

import mmap
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")
NO_LIMIT = 2_000_000.0  # seconds: 23 days, about the longest wait that poll(2) can count
LONGEST_WAIT = 10.0  # seconds; a longer wait is made of several, so that a new limit is noticed
_SECONDS, _HELD_SINCE, _RELEASED, _HELD = range(4)


class Patience:
    """Seconds that a client may stall.

    They are measured by a clock that can be held: in the lab a person may hold what a client sends, and then the
    silence is not the client's. Forked children share both with their parent.
    """

    def __init__(self, seconds: float) -> None:
        self._shared = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("d")
        self.seconds = seconds

    @property
    def seconds(self) -> float:
        """The limit. A new one holds at once, also for clients that are being served."""
        return self._shared[_SECONDS]

    @seconds.setter
    def seconds(self, seconds: float) -> None:
        self._shared[_SECONDS] = min(seconds, NO_LIMIT)

    def now(self) -> float:
        """Seconds on the clock."""
        return (self._shared[_HELD_SINCE] or time.monotonic()) - self._shared[_HELD]

    def runs_for(self) -> float:
        """Seconds since the clock was last held; 0 while it is."""
        return 0.0 if self._shared[_HELD_SINCE] else time.monotonic() - self._shared[_RELEASED]

    def hold(self) -> None:
        """Stop the clock: no client is dropped for its silence."""
        self._shared[_HELD_SINCE] = self._shared[_HELD_SINCE] or time.monotonic()

    def release(self) -> None:
        """Let the clock go on where it stopped."""
        if since := self._shared[_HELD_SINCE]:
            self._shared[_RELEASED] = time.monotonic()
            self._shared[_HELD] += self._shared[_RELEASED] - since
            self._shared[_HELD_SINCE] = 0.0


class Deadline:
    """When a client's time is up: after the server's patience, or after ``most`` seconds if that is less."""

    def __init__(self, patience: Patience, most: float = NO_LIMIT) -> None:
        self._patience = patience
        self._most = most
        self.renew()

    @property
    def seconds(self) -> float:
        """All the time that the client has."""
        return min(self._most, self._patience.seconds)

    def renew(self, elapsed: float = 0.0) -> None:
        """Begin again; ``elapsed`` seconds are over already."""
        self._began = self._patience.now() - elapsed

    def left(self) -> float:
        """Seconds that are left; `TimeoutError` if there are none."""
        left = self._began + self.seconds - self._patience.now()
        if left <= 0:
            raise TimeoutError
        return left

    def limit(self, sock: socket.socket, operation: Callable[[], T]) -> T:
        """The result of an operation that waits for this socket's peer; `TimeoutError` when the time is up."""
        while True:
            sock.settimeout(min(self.left(), LONGEST_WAIT))
            with suppress(TimeoutError):
                return operation()
