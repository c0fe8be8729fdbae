"""Listening sockets for every address that a name stands for, all at one port."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Sequence
from typing import Final

from netlab.capture.model import Endpoint

TRIES: Final = 20
"""How often another free port is asked for, where the first one's is taken at another address."""

_ABSENT: Final = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
"""A hosts file may give ``::1`` on a machine without IPv6: a name's other addresses do."""


def bind_all(addresses: Sequence[Endpoint], bind: Callable[[Endpoint], socket.socket]) -> tuple[socket.socket, ...]:
    """A socket for each address that this machine has, all bound to one port; the first one's where that is 0.

    Raises `OSError` where none has a socket, or one that the machine has cannot be had.
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
