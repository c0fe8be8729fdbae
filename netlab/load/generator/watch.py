"""Waits for sockets, exact to some microseconds where the system can do that."""

from __future__ import annotations

import select
import sys

from netlab.platforms import ERROR, HUNG_UP, READABLE, WRITABLE, poll

READ, WRITE = READABLE, WRITABLE
BROKEN = ERROR | HUNG_UP
_COARSE = 0.001
"""Seconds of a millisecond: what poll(2) and epoll_wait(2) count in."""


class Watch:
    """The sockets that are waited for, by descriptor."""

    def __init__(self) -> None:
        self._epoll = select.epoll() if sys.platform == "linux" else None
        self._poll = self._epoll or poll()
        self.register, self.modify, self.unregister = self._poll.register, self._poll.modify, self._poll.unregister

    def ready(self, seconds: float) -> list[tuple[int, int]]:
        """The sockets that are ready, at latest after so many seconds."""
        if seconds <= 0.0:
            return self._poll.poll(0)
        if self._epoll is not None:  # select(2) counts in microseconds, and an epoll can be selected
            return self._epoll.poll(0) if select.select((self._epoll,), (), (), seconds)[0] else []
        return self._poll.poll(seconds * 1000 if seconds > _COARSE else 0)  # it would wait for a millisecond at least
