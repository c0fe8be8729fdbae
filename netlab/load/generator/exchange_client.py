"""One client that sends plain bytes and takes the answer. It never blocks, and knows no time."""

from __future__ import annotations

import errno
import os
import socket
from enum import Enum

from netlab.capture.model import Endpoint, Transport
from netlab.load import failures
from netlab.load.generator.watch import READ, WRITE, Watch
from netlab.load.plan import PlainBytes
from netlab.names import family_of

_UNDER_WAY = frozenset({0, errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY})
_AT_ONCE = 65536


class RequestState(Enum):
    """What has become of a request."""

    WAITING = "waiting"
    ANSWERED = "answered"


WAITING, ANSWERED = RequestState.WAITING, RequestState.ANSWERED
Outcome = RequestState | str
"""A step, or the kind of failure, in words."""


class ExchangeClient:
    """A connection, and the request on its way. Its owner knows it by its descriptor, ``fd`` (-1: none)."""

    __slots__ = (
        "_address",
        "_connecting",
        "_expect",
        "_got",
        "_kind",
        "_rest",
        "_send",
        "_size",
        "_sock",
        "_watch",
        "_writing",
        "busy",
        "fd",
        "free",
        "planned",
        "sent",
    )

    def __init__(self, operation: PlainBytes, address: Endpoint, watch: Watch) -> None:
        self._send, self._expect = operation.send, operation.expect
        self._size = min(max(len(operation.expect) + 1, 4096), _AT_ONCE)
        self._kind = socket.SOCK_STREAM if operation.transport is Transport.TCP else socket.SOCK_DGRAM
        self._address, self._watch = address, watch
        self._sock: socket.socket | None = None
        self._rest, self._got = b"", b""
        self._connecting = self._writing = False
        self.fd = -1
        self.busy = False
        self.planned = self.sent = self.free = 0.0

    @property
    def connecting(self) -> bool:
        """Whether the connection is under way."""
        return self._connecting

    def connect(self) -> None:
        """Begin to connect, unless there is a connection. Raises `OSError`."""
        if self._sock is not None:
            return
        sock = socket.socket(family_of(self._address.host), self._kind)
        try:
            sock.setblocking(False)
            stream = self._kind == socket.SOCK_STREAM
            if stream:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
            number = sock.connect_ex((self._address.host, self._address.port))
            if number not in _UNDER_WAY:
                raise OSError(number, os.strerror(number))
            self._watch.register(sock.fileno(), WRITE if stream else READ)
        except BaseException:
            sock.close()
            raise
        self._sock, self.fd, self._connecting = sock, sock.fileno(), stream
        self._writing = stream

    def begin(self) -> Outcome:
        """Send the request, or connect first."""
        self.busy, self._got = True, b""
        try:
            if self._sock is None:
                self.connect()
            assert self._sock is not None
            sent = 0 if self._connecting else self._sock.send(self._send)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            return failures.kind_of(error)
        if sent < len(self._send):
            self._rest = self._send[sent:]
            if not self._writing:
                self._wait_for(READ | WRITE)
        return WAITING

    def ready(self, mask: int) -> Outcome:
        """The socket is ready, or broken."""
        try:
            if self._writing:
                self._go_on()
            return WAITING if mask == WRITE else self._receive()
        except BlockingIOError:
            return WAITING
        except OSError as error:
            return failures.kind_of(error)

    def close(self) -> None:
        """Close the connection, if there is one."""
        sock, self._sock = self._sock, None
        if sock is not None:
            self._watch.unregister(self.fd)
            sock.close()
        self.fd, self._connecting, self._writing, self._rest = -1, False, False, b""

    def _go_on(self) -> None:
        """It can be written to: it is connected, and the rest of the request can leave."""
        assert self._sock is not None
        if self._connecting:
            number = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number:
                raise OSError(number, os.strerror(number))
            self._connecting = False
        if self._rest:
            self._rest = self._rest[self._sock.send(self._rest) :]
        if not self._rest:
            self._wait_for(READ)

    def _wait_for(self, mask: int) -> None:
        self._writing = bool(mask & WRITE)
        self._watch.modify(self.fd, mask)

    def _receive(self) -> Outcome:
        assert self._sock is not None
        got = self._sock.recv(self._size)
        if not self.busy:  # more than was expected of the last answer; or the server has closed
            return WAITING if got or self._kind == socket.SOCK_DGRAM else failures.CLOSED
        expect = self._expect
        if got.startswith(expect) and not self._got and (got or self._kind == socket.SOCK_DGRAM):
            return ANSWERED
        if self._kind == socket.SOCK_DGRAM:
            return failures.WRONG
        if not got:
            return failures.CLOSED
        self._got += got
        if len(self._got) >= len(expect):
            return ANSWERED if self._got.startswith(expect) else failures.WRONG
        return WAITING if expect.startswith(self._got) else failures.WRONG
