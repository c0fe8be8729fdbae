"""Several listening sockets that a server uses as if they were one: for a name that has several addresses.

A recipe's server has one socket, which it polls, accepts from, or reads datagrams from. This stands in its place.
"""

from __future__ import annotations

import socket
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from selectors import EVENT_READ, DefaultSelector
from typing import Any, TypeVar

from netlab.capture.model import Endpoint, Transport
from netlab.names import Addresses, bind_all, endpoint_of, family_of
from netlab.topics.contract import Server

T = TypeVar("T")
MOST_PEERS = 1024
"""How many senders of datagrams are remembered with the socket they sent to: the answer leaves from there."""


def on_all(addresses: Addresses, make: Callable[[tuple[str, int]], Server], transport: Transport) -> Server:
    """A server that listens on each of the addresses. ``make`` makes one at an address, or raises `OSError`."""
    made: list[Server] = []

    def bind(address: Endpoint) -> socket.socket:
        if made and made[-1].socket.fileno() >= 0:
            return _listener(address, transport)
        made.append(make((address.host, address.port)))
        return made[-1].socket

    sockets = bind_all(addresses, bind)
    if len(sockets) > 1 and hasattr(DefaultSelector, "fileno"):
        vars(made[-1])["socket"] = Listeners(sockets)
    elif len(sockets) > 1:  # the server's own is the first; nothing could wait for the others as well
        for other in sockets[1:]:
            other.close()
    return made[-1]


def addresses_of(server: Server) -> Addresses:
    """Where a server listens."""
    one: object = server.socket
    return one.addresses if isinstance(one, Listeners) else (Endpoint(*server.server_address[:2]),)


def _listener(address: Endpoint, transport: Transport) -> socket.socket:
    if transport is Transport.TCP:
        return socket.create_server(address, family=family_of(address.host), backlog=128)
    sock = socket.socket(family_of(address.host), socket.SOCK_DGRAM)
    try:
        sock.bind(address)
    except OSError:
        sock.close()
        raise
    return sock


class Listeners:
    """Ready when one of them is. Its descriptor is that of a selector, which can itself be polled (epoll, kqueue)."""

    def __init__(self, sockets: Sequence[socket.socket]) -> None:
        self._sockets = tuple(sockets)
        self._selector = DefaultSelector()
        self._limit: float | None = None
        self._peers: OrderedDict[object, socket.socket] = OrderedDict()
        for sock in self._sockets:
            sock.setblocking(False)
            self._selector.register(sock, EVENT_READ)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sockets[0], name)

    @property
    def addresses(self) -> Addresses:
        """Where they listen."""
        return tuple(map(endpoint_of, self._sockets))

    def fileno(self) -> int:
        """What to poll for being ready."""
        number: int = getattr(self._selector, "fileno")()  # noqa: B009 - not every system's selector has one
        return number

    def settimeout(self, value: float | None) -> None:
        """Seconds that one operation may wait; None means no limit."""
        self._limit = value

    def gettimeout(self) -> float | None:
        """Seconds that one operation may wait; None means no limit."""
        return self._limit

    def setblocking(self, flag: bool) -> None:
        """Wait without limit, or not at all."""
        self._limit = None if flag else 0.0

    def listen(self, backlog: int = 128) -> None:
        """As `socket.socket.listen`, for all."""
        for sock in self._sockets:
            sock.listen(backlog)

    def accept(self) -> tuple[socket.socket, Any]:
        """From the first one that has a client."""
        accepted, address = self._from_ready(lambda sock: sock.accept())
        accepted.setblocking(self._limit != 0.0)  # on some systems it inherits that the listener does not block
        return accepted, address

    if sys.platform != "win32":

        def recvmsg(self, *arguments: int) -> tuple[bytes, list[tuple[int, int, bytes]], int, Any]:
            """From the first one that has a datagram."""
            return self._from_ready(lambda sock: self._noted(sock.recvmsg(*arguments), sock))

    def recvfrom(self, *arguments: int) -> tuple[bytes, Any]:
        """From the first one that has a datagram."""
        return self._from_ready(lambda sock: self._noted(sock.recvfrom(*arguments), sock))

    def sendto(self, data: bytes, *rest: Any) -> int:
        """From the socket to which this peer last sent something."""
        return self._peers.get(rest[-1], self._sockets[0]).sendto(data, *rest)

    def close(self) -> None:
        """Close all."""
        self._selector.close()
        for sock in self._sockets:
            sock.close()

    def _noted(self, received: T, sock: socket.socket) -> T:
        """Remember which socket the sender, the last item received, has sent to."""
        self._peers[received[-1]] = sock  # type: ignore[index]  # a tuple of one of two forms
        while len(self._peers) > MOST_PEERS:
            self._peers.popitem(last=False)
        return received

    def _from_ready(self, operation: Callable[[socket.socket], T]) -> T:
        deadline = None if self._limit is None else time.monotonic() + self._limit
        while True:
            left = None if deadline is None else max(deadline - time.monotonic(), 0)
            for key, _ in self._selector.select(left):
                sock = key.fileobj
                assert isinstance(sock, socket.socket)  # nothing else was registered
                with suppress(BlockingIOError):
                    return operation(sock)
            if deadline is not None and time.monotonic() >= deadline:
                raise TimeoutError("timed out") if self._limit else BlockingIOError
