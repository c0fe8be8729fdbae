"""A client's socket, as a server uses it: no wait for the client is longer than the server's patience."""

from __future__ import annotations

import signal
import socket
import struct
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from netlab.hardening.patience import LONGEST_WAIT, Deadline, Patience, T

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

UNREAD = "it does not read what it is sent"
_recv, _recv_into, _send = socket.socket.recv, socket.socket.recv_into, socket.socket.send
"""What the methods below begin with; `super` would be looked up for each message."""


class ClientSocket(socket.socket):
    """An accepted connection. When the client stalls, ``recv`` and ``sendall`` raise a `TimeoutError` that says how.

    The kernel limits their first wait (SO_RCVTIMEO, socket(7)). With `settimeout` each call would begin with a poll(),
    which takes a tenth of an echo's time, and makes threads take turns twice as often.
    """

    patience: Patience

    @classmethod
    def of(cls, accepted: socket.socket, patience: Patience) -> ClientSocket:
        """The same connection. The socket that was accepted no longer has it."""
        client = cls(accepted.family, accepted.type, accepted.proto, accepted.detach())
        client.patience = patience
        client.limit_waits()
        return client

    def limit_waits(self) -> None:
        """Let the kernel do it, where it can: that depends on the thread that serves the client."""
        seconds = min(self.patience.seconds, LONGEST_WAIT)
        self._first_wait, self._usual = seconds, None
        if sys.platform != "win32" and not _gets_alarms():
            self.settimeout(None)
            interval = struct.pack("ll", *divmod(max(1, int(seconds * 1e6)), 1_000_000))  # a struct timeval
            for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
                self.setsockopt(socket.SOL_SOCKET, option, interval)
        else:
            self._usual = seconds
            self.settimeout(seconds)

    def recv(self, size: int, flags: int = 0) -> bytes:
        """As `socket.socket.recv`."""
        try:
            return _recv(self, size, flags)
        except (BlockingIOError, TimeoutError):
            return self._wait_on(partial(super().recv, size, flags))

    def recv_into(self, buffer: WriteableBuffer, size: int = 0, flags: int = 0) -> int:
        """As `socket.socket.recv_into`."""
        try:
            return _recv_into(self, buffer, size, flags)
        except (BlockingIOError, TimeoutError):
            return self._wait_on(partial(super().recv_into, buffer, size, flags))

    def sendall(self, data: ReadableBuffer, flags: int = 0) -> None:
        """As `socket.socket.sendall`. The waits of one call count together."""
        try:
            sent = _send(self, data, flags)
        except (BlockingIOError, TimeoutError):
            sent = 0
        if type(data) is not bytes or sent < len(data):
            view = memoryview(data).cast("B")
            if sent < len(view):
                self._send_rest(view[sent:], flags)

    def recv_by(self, deadline: Deadline, size: int) -> bytes:
        """As ``recv``, until a deadline."""
        return self._by(deadline, partial(super().recv, size))

    def recv_into_by(self, deadline: Deadline, buffer: WriteableBuffer) -> int:
        """As ``recv_into``, until a deadline."""
        return self._by(deadline, partial(super().recv_into, buffer))

    def _by(self, deadline: Deadline, operation: Callable[[], T]) -> T:
        try:
            return deadline.limit(self, operation)
        finally:
            self.settimeout(self._usual)

    def _after_first_wait(self) -> Deadline:
        deadline = Deadline(self.patience)
        deadline.renew(min(self._first_wait, self.patience.runs_for()))
        return deadline

    def _wait_on(self, receive: Callable[[], T]) -> T:
        deadline = self._after_first_wait()
        try:
            return self._by(deadline, receive)
        except TimeoutError:
            raise TimeoutError(f"silent for {deadline.seconds:g} s") from None

    def _send_rest(self, view: memoryview, flags: int) -> None:
        deadline = self._after_first_wait()
        try:
            while view:
                view = view[self._by(deadline, partial(super().send, view, flags)) :]
        except TimeoutError:
            raise TimeoutError(UNREAD) from None


def _gets_alarms() -> bool:
    """Whether a timer's signals come to this thread: each would restart the kernel's wait."""
    left = 0.0
    if sys.platform != "win32":
        left = signal.getitimer(signal.ITIMER_REAL)[0]
    return threading.current_thread() is threading.main_thread() and left > 0
