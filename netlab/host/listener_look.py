"""Where a program listens: asked of the kernel, and never found out by connecting, which a server would notice."""

from __future__ import annotations

import errno
import socket
from collections.abc import Collection, Iterable
from contextlib import closing, suppress
from typing import Final, NamedTuple

from netlab.kernel.holders import holders
from netlab.kernel.sock_diag import datagram_sockets, listeners, unavailable
from netlab.kernel.socket_row import Address, SocketRow, State

_ANY: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}
_PREFERRED: Final = ("127.0.0.1", "0.0.0.0", "::1", "::")
_PROBE: Final = 0.5  # seconds


class WhereItListens(NamedTuple):
    """``address``: where clients can be sent; None: nowhere yet. ``elsewhere``: other ports that the program has.

    ``foreign`` says that another program has the port.
    """

    address: Address | None = None
    elsewhere: tuple[int, ...] = ()
    foreign: bool = False


class ListenerLook:
    """Looks for a program on a port; 0 is any. ``unknown`` says why the kernel cannot be asked."""

    def __init__(self, port: int, *, udp: bool = False) -> None:
        self._port, self._udp = port, udp
        self.unknown = unavailable()
        self.sure = bool(port)
        """Whether the port was asked for."""

    def look(self, family: Collection[int]) -> WhereItListens:
        """Where these processes listen. Raises `OSError` if the kernel does not answer."""
        if self.unknown:
            return self._without_the_kernel()
        rows = self._rows()
        held = {inode for inode, pids in holders({row.inode for row in rows}, among=family).of.items() if pids}
        own = [row.local for row in rows if row.inode in held]
        wanted = [at for at in own if self._port in (0, at[1])]
        if wanted:
            best = min(wanted, key=_preference)
            return WhereItListens(reachable(best), _ports(own, but=best[1]))
        foreign = any(row.local[1] == self._port and row.inode not in held for row in rows)
        return WhereItListens(None, _ports(own), foreign)

    def has_gone(self, port: int) -> bool:
        """Whether nobody listens on this port any more, as far as the kernel can be asked. Raises `OSError`."""
        return not (self.unknown or self._rows(port))

    def _rows(self, port: int | None = None) -> list[SocketRow]:
        if not self._udp:
            return listeners(port)
        return [row for row in datagram_sockets(self._port) if row.state is State.CLOSE]  # those that have no peer

    def _without_the_kernel(self) -> WhereItListens:
        """A connection is all that shows a listener there; of datagrams nothing does."""
        if self._udp or not self._port:
            return WhereItListens(("127.0.0.1", self._port) if self._port else None)
        for host in ("127.0.0.1", "::1"):
            with suppress(OSError), socket.create_connection((host, self._port), timeout=_PROBE):
                return WhereItListens((host, self._port))
        return WhereItListens()


def _preference(at: Address) -> tuple[int, int]:
    """The lowest port; of its addresses, IPv4 on this machine first."""
    return at[1], _PREFERRED.index(at[0]) if at[0] in _PREFERRED else len(_PREFERRED)


def _ports(addresses: Iterable[Address], but: int = 0) -> tuple[int, ...]:
    return tuple(sorted({port for _, port in addresses} - {but}))


def reachable(at: Address) -> Address:
    """Where a client on this machine reaches a listener: one on any address by the loopback of its family."""
    host, port = at
    if host == "::" and not _has_address("::1"):  # a listener of both families, where IPv6 is switched off
        return "127.0.0.1", port
    return _ANY.get(host, host), port


def _has_address(host: str) -> bool:
    with closing(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)) as sock:
        try:
            sock.bind((host, 0))
        except OSError as error:
            return error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
    return True
