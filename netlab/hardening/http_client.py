"""An HTTP client with limits: one deadline for a whole request and its answer, and an answer of bounded size."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_BODY = 8 << 20  # bytes


class Answer(NamedTuple):
    """What a server answered, in its bytes."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


class HTTPClient:
    """Makes requests, each over a connection of its own. ``socket`` is the one in use, or None."""

    def __init__(
        self,
        address: tuple[str, int],
        *,
        timeout: float = 5.0,
        log: Callable[[str], None] = print,
        make_socket: Callable[[int, int], socket.socket] = socket.socket,
    ) -> None:
        self._address, self.timeout, self._make_socket = address, timeout, make_socket
        self.socket: socket.socket | None = None

    def close(self) -> None:
        """Close the connection, if there is one. Closing twice does nothing."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def _exchange(self, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a request once, and read its whole answer."""
        deadline = time.monotonic() + self.timeout
        family = socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET
        self.socket = self._make_socket(family, socket.SOCK_STREAM)  # there to be seen while it connects
        try:
            self.socket.settimeout(self.timeout)
            self.socket.connect(self._address)
            connection = http.client.HTTPConnection(*self._address)
            connection.sock = TimedSocket(self.socket, deadline)  # http.client would make a socket of its own
            connection.request(method, target, body or None, headers)
            return _whole(connection.getresponse())
        finally:
            self.close()


def _whole(answer: http.client.HTTPResponse) -> Answer:
    body = answer.read(MAX_BODY + 1)
    if len(body) > MAX_BODY:
        raise ValueError(f"the body is larger than {MAX_BODY} bytes")
    if answer.length:
        raise http.client.IncompleteRead(body, answer.length)
    return Answer(answer.status, answer.reason, tuple(answer.getheaders()), body)


class TimedSocket(RawIOBase):
    """What http.client needs of a socket, with one deadline for all of it."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self.connection, self.deadline = connection, deadline
        self.request = b""

    def sendall(self, data: bytes) -> None:
        """Take a part of the request: the head, then the body."""
        self.request += data

    def makefile(self, mode: str) -> BufferedReader:
        """Send the request in one go, all of it; the socket as a file to read."""
        self.connection.settimeout(max(self.deadline - time.monotonic(), 0.001))
        with suppress(BrokenPipeError, ConnectionResetError):  # refused before it was all sent: read why
            self.connection.sendall(self.request)
        return BufferedReader(TimedSocket(self.connection, self.deadline))

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer with what arrives next; `TimeoutError` after the deadline."""
        left = self.deadline - time.monotonic()
        if left <= 0:  # also for a server that sends so fast that no recv ever waits
            raise TimeoutError("timed out")
        self.connection.settimeout(left)
        return self.connection.recv_into(buffer)
