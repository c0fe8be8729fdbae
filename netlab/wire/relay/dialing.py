"""Connects to the first of a server's addresses that takes the connection, one after the other, without waiting."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections import deque
from collections.abc import Callable, Iterable

from netlab.capture.model import Endpoint
from netlab.names import family_of
from netlab.wire.loop import WRITE, Loop


class Dialing:
    """One connection being made. ``done`` is called once, with a reason if there is no connection, else with nothing.

    ``socket`` is then the connected one, to ``target``. The first socket is given: it was made for the first target.
    """

    def __init__(
        self, loop: Loop, first: socket.socket, targets: Iterable[Endpoint], done: Callable[[str], None]
    ) -> None:
        self._loop, self._done = loop, done
        self._targets = deque(targets)
        self._watched = False
        self.socket = first
        self.target = self._targets.popleft()
        self._error = 0

    @property
    def local(self) -> Endpoint:
        """The address that the server would see."""
        return Endpoint(*self.socket.getsockname()[:2])

    def start(self) -> None:
        """Make the first attempt; `proceed` looks at the result."""
        self._error = self._connect()

    def proceed(self) -> None:
        """Look at the attempt, and make the next if it failed."""
        while self._error not in (0, errno.EINPROGRESS):
            if not self._targets:
                self._done(os.strerror(self._error))
                return
            self._error = self._next()
        if self._connected():
            self._done("")
        else:
            self._watched = True
            self._loop.watch(self.socket.fileno(), WRITE, self._look)

    def stop(self) -> None:
        """Give up."""
        self._forget()
        self.socket.close()

    def _connect(self) -> int:
        self.socket.setblocking(False)
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.socket.connect_ex(self.target)

    def _next(self) -> int:
        """Begin the next attempt; returns its error number."""
        self.socket.close()
        self.target = self._targets.popleft()
        try:
            self.socket = socket.socket(family_of(self.target.host), socket.SOCK_STREAM)
        except OSError as error:
            return error.errno or errno.EAFNOSUPPORT
        return self._connect()

    def _connected(self) -> bool:
        try:
            self.socket.getpeername()
        except OSError:
            return False
        return True

    def _look(self, mask: int) -> None:
        """Connected, refused, or woken up without a reason."""
        self._error = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if self._error or self._connected():
            self._forget()
            self.proceed()

    def _forget(self) -> None:
        if self._watched:
            self._watched = False
            self._loop.forget(self.socket.fileno())
