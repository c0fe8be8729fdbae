"""Sockets whose waiting can be abandoned: the connection survives, and later data can still be read.

They differ from `socket.socket` in one respect: an operation that waits also watches a `Wake`, and raises `Abandoned`
when that is set. On Linux, closing a socket does not wake another thread that waits on it; shutting it down does, but
ends the connection.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from netlab.capture.model import Endpoint
from netlab.platforms import READABLE, WRITABLE, never_block, poll

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

T = TypeVar("T")
_EXCUSED = 2.0  # seconds between two checks whether waiting is still excused, and the time for an answer after that
_Ancillary = list[tuple[int, int, bytes]]


MOST_READS = 2000
"""Reads whose lengths are kept."""
_MOST_UNANSWERED = 16
"""The most datagrams that are kept for the peer's next address."""


class Abandoned(Exception):
    """The person stopped waiting for this call. Not an `OSError`, since a client may retry after one."""


class Wake:
    """A flag that `select.poll` can watch. Its descriptors are closed when the object is no longer referenced."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        never_block(self._read)
        self._lock = threading.Lock()
        self._is_set = False

    def fileno(self) -> int:
        """The descriptor that is readable while the flag is set."""
        return self._read

    def is_set(self) -> bool:
        """Whether the flag is set."""
        return self._is_set

    def set(self) -> None:
        """Set the flag; from any thread."""
        with self._lock:
            if not self._is_set:
                self._is_set = True
                os.write(self._write, b"!")

    def clear(self) -> None:
        """Clear the flag; from any thread."""
        with self._lock:
            if self._is_set:
                self._is_set = False
                os.read(self._read, 1)

    def __del__(self) -> None:
        os.close(self._read)
        os.close(self._write)


class CancellableSocket(socket.socket):
    """A socket whose waiting ends when ``wake`` is set.

    ``local`` is the address from which it connected, ``began`` when it began to (`time.monotonic`); ``received``
    counts the received bytes, ``reads`` has their lengths, read by read (None: too many); ``ended`` says that the peer
    closed its side (a read returned nothing); ``detached`` is the descriptor and inode that `detach` gave away (as
    `ssl` does).
    """

    def __init__(
        self,
        family: socket.AddressFamily | int = -1,
        type: socket.SocketKind | int = -1,
        proto: int = -1,
        fileno: int | None = None,
        wake: Wake | None = None,
        excused: Callable[[Endpoint], bool] = lambda local: False,
    ) -> None:
        """``excused`` says, for a stream's local address, whether its waiting does not count now."""
        super().__init__(family, type, proto, fileno)
        self._wake, self._excused = wake, excused
        self._limit: float | None = socket.getdefaulttimeout()
        self.local: Endpoint | None = None
        self.began = 0.0
        self.received = 0
        self.reads: list[int] | None = []
        self.ended = False
        self.detached: tuple[int, int] | None = None
        self._others: deque[tuple[int, object]] = deque()  # the peer's addresses that were not tried yet
        self._unanswered: list[bytes] = []
        super().setblocking(False)

    def settimeout(self, value: float | None, /) -> None:
        """Seconds that one operation may wait; None for no limit."""
        if value is not None and value < 0:
            raise ValueError("Timeout value out of range")
        self._limit = value

    def gettimeout(self) -> float | None:
        """Seconds that one operation may wait; None for no limit."""
        return self._limit

    @property
    def timeout(self) -> float | None:
        """The same as `gettimeout`."""
        return self._limit

    def setblocking(self, flag: bool, /) -> None:
        """Wait without limit, or not at all."""
        self._limit = None if flag else 0.0

    def getblocking(self) -> bool:
        """Whether an operation may wait."""
        return self._limit != 0.0

    def detach(self) -> int:
        """Give the descriptor away."""
        fd = self.fileno()
        if fd >= 0:
            self.detached = (fd, os.fstat(fd).st_ino)
        return super().detach()

    def connect(self, address: object, /) -> None:
        """As `socket.socket.connect`."""
        deadline, self.began = self._deadline(), time.monotonic()
        self._others = deque(_places(address, self.family, self.type))
        self._connect_next(deadline)

    def _connect_next(self, deadline: float | None) -> None:
        """Connect to the first of the peer's addresses that accepts; raises the last one's error if none does."""
        while True:
            family, place = self._others.popleft()
            try:
                self._connect(family, place, deadline)
            except TimeoutError:
                raise  # the limit is for all addresses together
            except OSError:
                if not self._others:
                    raise
                self._become(self._others[0][0])
            else:
                self.local = Endpoint(*self.getsockname()[:2])
                if self.type == socket.SOCK_STREAM:
                    self._others.clear()
                return

    def _connect(self, family: int, place: object, deadline: float | None) -> None:
        if family != self.family:
            self._become(family)
        try:
            super().connect(place)  # type: ignore[arg-type]  # typeshed's _Address is private
        except BlockingIOError:
            self._wait(WRITABLE, deadline)
            number = self.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number == errno.ECONNRESET:  # it was connected, and reset before this looked
                self.local = Endpoint(*self.getsockname()[:2])
            if number:
                raise OSError(number, os.strerror(number)) from None

    def _become(self, family: int) -> None:
        """Replace the socket by a new one of this family, under the same descriptor."""
        kind, proto, fd = self.type, self.proto, self.fileno()
        hurried = kind == socket.SOCK_STREAM and self.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        with socket.socket(family, kind, proto) as other:
            os.dup2(other.fileno(), fd, inheritable=False)
        socket.socket.__init__(self, family, kind, proto, fd)
        super().setblocking(False)
        if hurried:
            self.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)

    def connect_ex(self, address: object, /) -> int:
        """As `socket.socket.connect_ex`."""
        try:
            self.connect(address)
        except OSError as error:
            return error.errno or 0
        return 0

    def accept(self) -> tuple[socket.socket, object]:
        """As `socket.socket.accept`."""
        return self._attempt(super().accept, READABLE)

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """As `socket.socket.recv`."""
        got = self._attempt(partial(super().recv, bufsize, flags), READABLE)
        self._count(len(got), bufsize, flags)
        return got

    def recv_into(self, buffer: WriteableBuffer, nbytes: int = 0, flags: int = 0) -> int:
        """As `socket.socket.recv_into`."""
        got = self._attempt(partial(super().recv_into, buffer, nbytes, flags), READABLE)
        self._count(got, nbytes or memoryview(buffer).nbytes, flags)
        return got

    def recvfrom(self, bufsize: int, flags: int = 0, /) -> tuple[bytes, object]:
        """As `socket.socket.recvfrom`."""
        got = self._attempt(partial(super().recvfrom, bufsize, flags), READABLE)
        self._count(len(got[0]), bufsize, flags)
        return got

    def recvfrom_into(self, buffer: WriteableBuffer, nbytes: int = 0, flags: int = 0) -> tuple[int, object]:
        """As `socket.socket.recvfrom_into`."""
        got = self._attempt(partial(super().recvfrom_into, buffer, nbytes, flags), READABLE)
        self._count(got[0], nbytes or memoryview(buffer).nbytes, flags)
        return got

    if sys.platform != "win32":

        def recvmsg(
            self, bufsize: int, ancbufsize: int = 0, flags: int = 0, /
        ) -> tuple[bytes, _Ancillary, int, object]:
            """As `socket.socket.recvmsg`."""
            got = self._attempt(partial(super().recvmsg, bufsize, ancbufsize, flags), READABLE)
            self._count(len(got[0]), bufsize, flags)
            return got

        def recvmsg_into(
            self, buffers: Iterable[WriteableBuffer], ancbufsize: int = 0, flags: int = 0, /
        ) -> tuple[int, _Ancillary, int, object]:
            """As `socket.socket.recvmsg_into`."""
            into = list(buffers)
            got = self._attempt(partial(super().recvmsg_into, into, ancbufsize, flags), READABLE)
            self._count(got[0], sum(memoryview(b).nbytes for b in into), flags)
            return got

    def send(self, data: ReadableBuffer, flags: int = 0, /) -> int:
        """As `socket.socket.send`."""
        sent = self._attempt(partial(super().send, data, flags), WRITABLE)
        if self._others and not self.received and len(self._unanswered) < _MOST_UNANSWERED:
            self._unanswered.append(bytes(data))
        return sent

    def sendall(self, data: ReadableBuffer, flags: int = 0, /) -> None:
        """As `socket.socket.sendall`: the timeout is for all of it."""
        deadline = self._deadline()
        rest = memoryview(data).cast("B")
        while rest:
            sent = self._attempt(partial(super().send, rest, flags), WRITABLE, deadline)
            rest = rest[sent:]

    def sendto(self, data: ReadableBuffer, *rest: object) -> int:
        """As `socket.socket.sendto`."""
        return self._attempt(partial(super().sendto, data, *rest), WRITABLE)

    def _count(self, got: int, wanted: int, flags: int) -> None:
        self.received += got
        if got and self.reads is not None and not flags & socket.MSG_PEEK:
            self.reads.append(got)
            self.reads = self.reads if len(self.reads) <= MOST_READS else None
        if not got and wanted and self.type == socket.SOCK_STREAM:
            self.ended = True

    def _deadline(self) -> float | None:
        return None if self._limit is None else time.monotonic() + self._limit

    def _attempt(self, operation: Callable[[], T], events: int, deadline: float | None = None) -> T:
        if deadline is None:
            deadline = self._deadline()
        if self._wake is not None and self._wake.is_set():  # even if data comes so fast that nothing waits
            raise Abandoned("you stopped waiting")
        while True:
            try:
                return operation()
            except BlockingIOError:
                if self._limit == 0.0:
                    raise
                self._wait(events, deadline)
            except ConnectionRefusedError:
                if self.type != socket.SOCK_DGRAM or not self._others or self.received:
                    raise
                self._send_elsewhere(deadline)

    def _send_elsewhere(self, deadline: float | None) -> None:
        """Nothing listens at this address of the peer: send the datagrams to its next one."""
        self._become(self._others[0][0])
        self._connect_next(deadline)
        for datagram in self._unanswered:
            super().send(datagram)

    def _wait(self, events: int, deadline: float | None) -> None:
        watch = poll()
        watch.register(self, events)
        if self._wake is not None:
            watch.register(self._wake, READABLE)
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        while True:
            ready = watch.poll(None if left is None else left * 1000)
            if self._wake is not None and self._wake.is_set():
                raise Abandoned("you stopped waiting")
            if ready:
                return
            if self.type != socket.SOCK_STREAM or self.local is None or not self._excused(self.local):
                raise TimeoutError("timed out")
            left = _EXCUSED


def _places(address: object, family: int, kind: int) -> list[tuple[int, object]]:
    """The addresses of a name, each with its family, in the resolver's order; a literal stands for itself.

    Raises `OSError` if the name is not found.
    """
    if not (isinstance(address, tuple) and isinstance(address[0], str)) or _is_literal(address[0]):
        return [(family, address)]
    try:
        found = socket.getaddrinfo(address[0], address[1], type=kind)
    except UnicodeError as error:
        raise OSError(None, f"{address[0]!r} is not a host name") from error
    return [(int(entry[0]), entry[4]) for entry in found]


def _is_literal(host: str) -> bool:
    """Whether a host is an address, so that no resolver is needed."""
    for family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError, ValueError):
            socket.inet_pton(family, host)
            return True
    return False
