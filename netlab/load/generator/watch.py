"""Waits for sockets, exact to some microseconds where the system can do that."""

from __future__ import annotations

import select
import sys
from collections.abc import Callable

from netlab.platforms import READABLE, WRITABLE, Poll, poll

READ, WRITE = READABLE, WRITABLE
_COARSE = 0.001
"""Seconds of a millisecond: what poll(2) and epoll_wait(2) count in."""


class Watch:
    """The sockets that are waited for, by descriptor."""

    def __init__(self) -> None:
        self._poll, self.ready = _waiting()
        self.register, self.modify, self.unregister = self._poll.register, self._poll.modify, self._poll.unregister


Ready = Callable[[float], list[tuple[int, int]]]
"""The sockets that are ready, at latest after so many seconds."""


def _waiting() -> tuple[Poll, Ready]:
    if sys.platform == "linux":
        return _exactly(select.epoll())
    else:  # noqa: RET505 - mypy knows by the branches which one a platform has
        return _roughly(poll())


def _roughly(sockets: Poll) -> tuple[Poll, Ready]:
    """It would wait for a millisecond at least: the last one is spent asking."""

    def ready(seconds: float) -> list[tuple[int, int]]:
        return sockets.poll(seconds * 1000 if seconds > _COARSE else 0)

    return sockets, ready


if sys.platform == "linux":

    def _exactly(sockets: select.epoll) -> tuple[Poll, Ready]:
        """select(2) counts in microseconds, and an epoll can be selected."""

        def ready(seconds: float) -> list[tuple[int, int]]:
            if seconds > 0.0 and not select.select((sockets,), (), (), seconds)[0]:
                return []
            return sockets.poll(0)

        return sockets, ready
