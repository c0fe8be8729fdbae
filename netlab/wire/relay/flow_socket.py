"""One of a flow's two sockets, and what the loop waits for on it."""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import Final, Protocol

from netlab.wire.loop import BROKEN, READ, WRITE, Loop

_ABORT: Final = struct.pack("ii", 1, 0)


class SocketReader(Protocol):
    """What takes from a socket: a pipe."""

    ended: bool

    def pump(self) -> None:
        """Read once."""

    def source_broke(self) -> None:
        """The socket is broken."""


class Writer(Protocol):
    """What puts into a socket: the pipe of the other direction."""

    def drain(self) -> None:
        """Write what waits."""


class FlowSocket:
    """One of a flow's two sockets. ``reader`` takes from it, ``writer`` puts into it."""

    __slots__ = ("_fd", "_loop", "_mask", "_watched", "reader", "socket", "writer")

    reader: SocketReader
    writer: Writer

    def __init__(self, loop: Loop, sock: socket.socket) -> None:
        self._loop, self.socket = loop, sock
        self._fd = sock.fileno()
        self._mask = 0
        self._watched = False

    def want_read(self, on: bool) -> None:
        """Wait for something to read, or stop waiting for it."""
        self._want(self._mask | READ if on else self._mask & ~READ)

    def want_write(self, on: bool) -> None:
        """Wait for room to write, or stop waiting for it."""
        self._want(self._mask | WRITE if on else self._mask & ~WRITE)

    def _want(self, mask: int) -> None:
        if mask == self._mask:
            return
        self._mask = mask
        if self._watched:
            self._loop.change(self._fd, mask)
        else:
            self._watched = True
            self._loop.watch(self._fd, mask, self.ready)

    def ready(self, mask: int) -> None:
        """The loop saw something; what it sees nearly always comes first."""
        if mask == READ:
            self.reader.pump()
            return
        if mask & WRITE:
            self.writer.drain()
        if mask & ~WRITE:
            if self._mask & READ:
                self.reader.pump()
            elif mask & BROKEN:
                self._broke_unheard()

    def _broke_unheard(self) -> None:
        """It broke while nothing was read. If it had sent its end, the reset follows now, else after its last bytes."""
        open_still = self.socket.fileno() >= 0
        if self.reader.ended and open_still and self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.reader.source_broke()
        else:
            self.unwatch()

    def unwatch(self) -> None:
        """Wait for nothing until something is wanted again."""
        self._mask = 0
        if self._watched:
            self._watched = False
            self._loop.forget(self._fd)

    def close(self, abort: bool) -> None:
        """Close the socket; ``abort`` sends a reset."""
        self.unwatch()
        if abort:
            with contextlib.suppress(OSError):
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
        self.socket.close()
