"""One thread that waits for many sockets: readiness in, calls out. It reads and writes nothing itself.

``select.epoll`` or ``poll`` rather than `selectors`: both report a broken connection even while neither reading nor
writing is asked for, which is how a reset is noticed behind backpressure; and they make no object per event. A
system with neither gets what `netlab.platforms` makes of ``select.select``.
"""

from __future__ import annotations

import math
import select
import sys
import time
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Final, Protocol

from netlab.platforms import ERROR, HUNG_UP, READABLE, WRITABLE, poll

READ: Final = READABLE
WRITE: Final = WRITABLE
BROKEN: Final = ERROR | HUNG_UP
"""Always reported. The numbers are the same for poll and epoll."""

Ready = Callable[[int], None]

_MOST_VOID: Final = 64
"""Timers taken back that may stay in the heap; beyond it, as many as there are live ones."""


class Loop:
    """Calls ``ready(mask)`` of each socket that is ready, ``after()``, then ``callback()`` of each timer that is due.

    A mask is a hint: a socket closed in the same round may have given its number to a new one, so a callee must
    accept that there is nothing to do.
    """

    def __init__(self) -> None:
        self._poll, self._wait, self._close = _waiting()
        self._ready: dict[int, Ready] = {}
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._timer_number = 0
        self._void: set[int] = set()  # timers taken back
        self._stopping = False
        self.after: Callable[[], None] = lambda: None

    def watch(self, fd: int, mask: int, ready: Ready) -> None:
        """Begin to wait for a socket."""
        self._ready[fd] = ready
        self._poll.register(fd, mask)

    def change(self, fd: int, mask: int) -> None:
        """Change what is waited for; 0 waits for a broken connection alone."""
        self._poll.modify(fd, mask)

    def forget(self, fd: int) -> None:
        """Stop waiting for it. Call this before closing it."""
        if self._ready.pop(fd, None) is not None:
            self._poll.unregister(fd)

    def call_at(self, when: float, callback: Callable[[], None]) -> int:
        """Call back once `time.monotonic` is ``when``, in seconds; returns a number for `take_back`."""
        self._timer_number += 1
        heappush(self._timers, (when, self._timer_number, callback))
        return self._timer_number

    def take_back(self, timer: int) -> None:
        """Cancel a timer. Only for one that was not called yet."""
        self._void.add(timer)
        if len(self._void) > max(_MOST_VOID, len(self._timers) // 2):
            self._timers[:] = [each for each in self._timers if each[1] not in self._void]
            self._void.clear()
            heapify(self._timers)

    @property
    def timers(self) -> int:
        """How many calls are still to come."""
        return len(self._timers) - len(self._void)

    def stop(self) -> None:
        """Let `run` return after this round."""
        self._stopping = True

    def run(self) -> None:
        """Wait and call until `stop`."""
        ready, timers, clock = self._ready, self._timers, time.monotonic
        wait = self._wait
        seconds: float | None = 0 if timers else None
        while not self._stopping:
            for fd, mask in wait(seconds):
                if fd in ready:
                    ready[fd](mask)
            self.after()
            seconds = None
            if timers:
                seconds = timers[0][0] - clock()
                if seconds <= 0:
                    self._call_due()
                    seconds = 0

    def close(self) -> None:
        """Release the system's resources."""
        self._close()

    def _call_due(self) -> None:
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            _, number, callback = heappop(self._timers)
            if number in self._void:
                self._void.discard(number)
            else:
                callback()


class _Registry(Protocol):
    """Where descriptors are registered: an epoll or a poll object."""

    def register(self, fd: int, eventmask: int, /) -> None: ...
    def modify(self, fd: int, eventmask: int, /) -> None: ...
    def unregister(self, fd: int, /) -> None: ...


_Wait = Callable[[float | None], list[tuple[int, int]]]
"""Waits so many seconds at most; which descriptors are ready, and for what."""


def _waiting() -> tuple[_Registry, _Wait, Callable[[], None]]:
    """The best way to wait that this system has: where to register, how to wait, how to give it back."""
    if sys.platform == "linux" and hasattr(select, "epoll"):
        epoll = select.epoll()
        return epoll, epoll.poll, epoll.close
    found = poll()
    return found, lambda seconds: found.poll(None if seconds is None else math.ceil(seconds * 1000)), lambda: None


class Alarm:
    """Calls back once, at the earliest of the times that it was given.

    Switched off, it leaves no timer behind in the loop.
    """

    __slots__ = ("_callback", "_loop", "_timer", "_when")

    def __init__(self, loop: Loop, callback: Callable[[], None]) -> None:
        self._loop, self._callback = loop, callback
        self._when = math.inf
        self._timer = 0

    def ring_by(self, when: float) -> None:
        """Call back once `time.monotonic` is ``when``, in seconds, or sooner; infinity for never."""
        if when < self._when:
            self.switch_off()
            self._when = when
            self._timer = self._loop.call_at(when, self._ring)

    def switch_off(self) -> None:
        """Do not call back."""
        if self._timer:
            self._loop.take_back(self._timer)
        self._timer, self._when = 0, math.inf

    def _ring(self) -> None:
        self._timer, self._when = 0, math.inf
        self._callback()
