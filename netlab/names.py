"""What a name stands for: all its addresses; and listening sockets for each of them, all at one port."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import Final

from netlab.capture.model import Endpoint

TRIES: Final = 20
"""How often another free port is tried if the first address's port is taken at another address."""

_OF_LITERALS: Final = "0123456789abcdefABCDEF.:"
_ABSENT: Final = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
"""A hosts file may give ``::1`` on a machine without IPv6: a name's other addresses do."""


Addresses = tuple[Endpoint, ...]
"""What a name stands for: literal addresses, to be tried in this order."""


def resolve(address: Endpoint) -> Addresses:
    """The same with literal hosts: all that the resolver finds, in its order. Raises `OSError`."""
    host = address.host
    literal = not host.strip(_OF_LITERALS)
    try:  # bytes, if they will do: text makes the resolver import what encodes names of all languages
        found = socket.getaddrinfo(host.encode() if literal else host, address.port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(None, f"{address.host!r} is not a host name") from error
    return tuple(dict.fromkeys(Endpoint(str(name[0]), int(name[1])) for *_, name in found))


def family_of(host: str) -> socket.AddressFamily:
    """The family of a literal address."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a literal address; ``%`` and a zone may follow it."""
    return ip_address(host.partition("%")[0]).is_loopback


def bind_all(addresses: Sequence[Endpoint], bind: Callable[[Endpoint], socket.socket]) -> tuple[socket.socket, ...]:
    """A socket for each address that this machine has, all bound to one port; port 0 takes the first one's.

    Raises `OSError` if none can be bound, or one that the machine has is taken.
    """
    for _ in range(TRIES if len(addresses) > 1 and not addresses[0].port else 0):
        try:
            return _bind_all(addresses, bind)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    return _bind_all(addresses, bind)


def endpoint_of(sock: socket.socket) -> Endpoint:
    """Where a socket is bound."""
    return Endpoint(*sock.getsockname()[:2])


def _bind_all(addresses: Sequence[Endpoint], bind: Callable[[Endpoint], socket.socket]) -> tuple[socket.socket, ...]:
    bound: list[socket.socket] = []
    absent: OSError | None = None
    for host, port in addresses:
        try:
            bound.append(bind(Endpoint(host, port or (endpoint_of(bound[0]).port if bound else 0))))
        except OSError as error:
            if error.errno in _ABSENT:
                absent = error
                continue
            for sock in bound:
                sock.close()
            raise
    if not bound and absent is not None:
        raise absent
    return tuple(bound)


def parse_address(text: str, default_host: str = "127.0.0.1") -> Endpoint:
    """``HOST:PORT``, with IPv6 in brackets, or a port alone. Raises `ValueError` with a sentence."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if colon else default_host
    if not (host.isprintable() and port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= 65535):
        raise ValueError(f"{text!r} is not HOST:PORT")
    return Endpoint(host or default_host, int(port))
