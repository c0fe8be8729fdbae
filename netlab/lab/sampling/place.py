"""Where a server is, as the kernel knows it: its addresses that are this computer's, and what listens there."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import closing

from netlab.capture.model import Endpoint
from netlab.kernel.sock_diag import taking
from netlab.kernel.socket_row import Address, SocketRow
from netlab.names import family_of, resolve


class ServerPlace:
    """A server's addresses that are this computer's; a name is resolved once."""

    def __init__(self, server: Endpoint) -> None:
        self.server = server
        self.addresses: tuple[Address, ...] = ()
        try:
            self.addresses = tuple(each for each in map(_reached, resolve(server)) if _is_here(each))
        except OSError:  # the name is not known
            return

    def towards(self, upstream: Endpoint) -> Address | None:
        """The server's end of a connection that comes from this address."""
        family = family_of(upstream.host)
        return next((each for each in self.addresses if family_of(each[0]) == family), None)

    def is_here(self, row: SocketRow) -> bool:
        """Whether a socket is at one of the addresses."""
        return row.local in self.addresses

    def listening(self, rows: Sequence[SocketRow]) -> list[SocketRow]:
        """Those rows whose sockets take connections to these addresses."""
        return taking(rows, self.addresses)


def _reached(address: Endpoint) -> Endpoint:
    """Where a client arrives that connects to it: at this computer itself, if it is every address."""
    return Endpoint({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address.host, address.host), address.port)


def _is_here(address: Endpoint) -> bool:
    """Whether an address is this computer's: only such a one can be bound."""
    with closing(socket.socket(family_of(address.host), socket.SOCK_DGRAM)) as probe:
        try:
            probe.bind((address.host, 0))
        except OSError:
            return False
    return True
