"""One of a flow's two sockets, and what the loop waits for on it."""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import TYPE_CHECKING, Final

from netlab.wire.loop import BROKEN, READ, WRITE
from netlab.wire.relay.context import Surroundings

if TYPE_CHECKING:
    from netlab.wire.relay.pipe import Pipe

_ABORT: Final = struct.pack("ii", 1, 0)


class Side:
    """One of a flow's two sockets, and what it is waited for. ``reads`` takes from it, ``writes`` puts into it."""

    __slots__ = ("_fd", "_loop", "_mask", "_watched", "reads", "socket", "writes")

    reads: Pipe
    writes: Pipe

    def __init__(self, around: Surroundings, sock: socket.socket) -> None:
        self._loop, self.socket = around.loop, sock
        self._fd = sock.fileno()
        self._mask = 0
        self._watched = False

    def listen(self, on: bool) -> None:
        """Wait, or wait no longer, for something to read."""
        self._want(self._mask | READ if on else self._mask & ~READ)

    def press(self, on: bool) -> None:
        """Wait, or wait no longer, for room to write."""
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
        """The loop saw something. First what it sees nearly always."""
        if mask == READ:
            self.reads.pump()
            return
        if mask & WRITE:
            self.writes.drain()
        if mask & ~WRITE:
            if self._mask & READ:
                self.reads.pump()
            elif mask & BROKEN:
                self._broke_unheard()

    def _broke_unheard(self) -> None:
        """It broke while nothing was to be read: its peer is told now if it had finished, else after its last bytes."""
        if (
            self.reads.ended
            and self.socket.fileno() >= 0
            and self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        ):
            self.reads.flow.reset(self.reads.direction)
        else:
            self.unwatch()

    def unwatch(self) -> None:
        """Wait for nothing. What is wanted later is waited for again."""
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
