"""Asks the kernel about the sockets in this network namespace, without root: sock_diag(7), Linux only.

Standard library only; it imports nothing of netlab but `platforms`. It can be imported everywhere: `unavailable` says
why the kernel cannot be asked. Functions raise `OSError` if the kernel does not answer. Any thread may call them.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import Final, NamedTuple

from netlab.kernel.socket_row import Address, SocketRow, State, packed, row
from netlab.platforms import lacks

_NETLINK_SOCK_DIAG: Final = 4
_BY_FAMILY: Final = 20
_ERROR, _DONE = 2, 3
_REQUEST, _DUMP = 1, 0x300
_HEADER: Final = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port
_REQUEST_V2: Final = struct.Struct("=BBBBI")  # inet_diag_req_v2 up to its id: family, protocol, attributes, states
_ID: Final = struct.Struct("!HH16s16s")  # inet_diag_sockid up to its interface
_ANY_SOCKET: Final = bytes(48)
_NO_COOKIE: Final = bytes(4) + b"\xff" * 8  # any interface, INET_DIAG_NOCOOKIE
_TCP_INFO, _SKMEMINFO = 1 << (2 - 1), 1 << (7 - 1)  # one bit for each attribute; they are numbered from 1
_FAMILIES: Final = (socket.AF_INET, socket.AF_INET6)
_CONNECTED: Final = frozenset(State) - {State.LISTEN, State.CLOSE, State.TIME_WAIT}
_PATIENCE: Final = 1.0  # seconds; the kernel answers at once
_BATCH: Final = 32  # requests at a time; the answers take about 1 KiB each of a receive buffer of 208 KiB
_AT_ONCE, _PAUSE = 200, 0.0005
"""Rows that are read in one go, about 1 ms, and seconds before the next: other threads get the interpreter's lock only
when this one sleeps, or after 5 ms."""
_DATAGRAM: Final = 1 << 16  # bytes; the kernel puts at most 32 KiB into one


class Dump(NamedTuple):
    """The sockets that were found; ``complete`` is False if there are more than were asked for."""

    rows: list[SocketRow]
    complete: bool


def unavailable() -> str:
    """Why the kernel cannot be asked, in one line; empty if it can."""
    if missing := lacks(["socket.AF_NETLINK"]):
        return missing
    try:
        listeners()
    except OSError as error:  # for example a kernel without inet_diag, or a sandbox
        return f"this system's kernel does not say what it knows of sockets ({error.strerror or error})"
    return ""


def listeners(port: int | None = None) -> list[SocketRow]:
    """The listening TCP sockets, of one port or all. With SO_REUSEPORT one address has several."""
    return list(_dump(socket.IPPROTO_TCP, 0, [State.LISTEN], port))


def taking(rows: Sequence[SocketRow], addresses: Iterable[Address]) -> list[SocketRow]:
    """Those listening sockets that take connections to these addresses; the kernel prefers the most specific."""
    found: dict[tuple[Address, int], SocketRow] = {}
    for host, port in addresses:
        for wanted in (host, "::" if ":" in host else "0.0.0.0", "::"):  # an IPv6 socket may take IPv4 as well
            fitting = [each for each in rows if each.local == (wanted, port)]
            found |= {(each.local, each.inode): each for each in fitting}
            if fitting:
                break
    return list(found.values())


def datagram_sockets(port: int) -> list[SocketRow]:
    """The UDP sockets that are bound to a port, with ``drops``."""
    return list(_dump(socket.IPPROTO_UDP, _SKMEMINFO, State, port))


def connections(port: int, limit: int) -> Dump:
    """TCP connections whose own port is this one, ``limit`` rows at most. Takes longer the more the system has."""
    found: list[SocketRow] = []
    for each in _dump(socket.IPPROTO_TCP, 0, _CONNECTED, port):
        if len(found) == limit:
            return Dump(found, complete=False)
        found.append(each)
        if len(found) % _AT_ONCE == 0:
            time.sleep(_PAUSE)
    return Dump(found, complete=True)


def connection(local: Address, remote: Address) -> SocketRow | None:
    """One TCP connection, with ``received``; None if it does not exist."""
    return connections_between([(local, remote)])[0]


def connections_between(pairs: Sequence[tuple[Address, Address]]) -> list[SocketRow | None]:
    """As `connection` for each of several (local, remote), in their order."""
    found: list[SocketRow | None] = []
    with closing(_to_kernel()) as kernel:
        for start in range(0, len(pairs), _BATCH):
            found += _exactly(kernel, pairs[start : start + _BATCH])
    return found


def _exactly(kernel: socket.socket, pairs: Sequence[tuple[Address, Address]]) -> list[SocketRow | None]:
    """Each request has one answer: the socket, or an error if there is none."""
    kernel.send(b"".join(_exact_request(number, *pair) for number, pair in enumerate(pairs)))
    found: list[SocketRow | None] = [None] * len(pairs)
    answers = 0
    while answers < len(pairs):
        for kind, number, body in _messages(kernel.recv(_DATAGRAM)):
            answers += 1
            if kind == _BY_FAMILY:
                each = row(body)
                # Where no connection is found the kernel answers with the listening socket of that port.
                found[number] = each if (each.local, each.remote) == pairs[number] else None
    return found


def _exact_request(number: int, local: Address, remote: Address) -> bytes:
    (family, host), (_, remote_host) = packed(local), packed(remote)
    which = _ID.pack(local[1], remote[1], host, remote_host) + _NO_COOKIE
    return _request(number, _REQUEST, family, socket.IPPROTO_TCP, _TCP_INFO, State, which)


def _dump(protocol: int, attributes: int, states: Iterable[State], port: int | None) -> Iterator[SocketRow]:
    """The sockets of both families; a new netlink socket for each, so that one may stop anywhere."""
    which = _ANY_SOCKET + (b"" if port is None else _only(port))
    for family in _FAMILIES:
        with closing(_to_kernel()) as kernel:
            kernel.send(_request(0, _REQUEST | _DUMP, family, protocol, attributes, states, which))
            yield from _dumped(kernel, attributes=bool(attributes))


def _dumped(kernel: socket.socket, attributes: bool) -> Iterator[SocketRow]:
    while True:
        for kind, _, body in _messages(kernel.recv(_DATAGRAM)):
            if kind == _DONE:
                return
            if kind == _ERROR:
                number = -int.from_bytes(body[:4], sys.byteorder, signed=True)
                raise OSError(number, os.strerror(number))
            yield row(body, attributes=attributes)


def _to_kernel() -> socket.socket:
    if sys.platform == "linux":
        kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG)
        kernel.settimeout(_PATIENCE)
        return kernel
    raise OSError("this system cannot be asked about its sockets")


def _request(
    number: int, flags: int, family: int, protocol: int, attributes: int, states: Iterable[State], which: bytes
) -> bytes:
    body = _REQUEST_V2.pack(family, protocol, attributes, 0, sum(1 << state for state in states)) + which
    return _HEADER.pack(_HEADER.size + len(body), _BY_FAMILY, flags, number, 0) + body


def _messages(datagram: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Each message's type, number and body."""
    place = 0
    while place + _HEADER.size <= len(datagram):
        length, kind, _, number, _ = _HEADER.unpack_from(datagram, place)
        yield kind, number, datagram[place + _HEADER.size : place + length]
        place += (length + 3) & ~3


def _only(port: int) -> bytes:
    """The attribute that lets only sockets with this port pass: two operations of ``inet_diag_bc_op``, ≥ and ≤."""
    at_least, at_most = 2, 3  # INET_DIAG_BC_S_GE and _S_LE: code, how far to go on if so and if not, then the port
    code = struct.pack("=BBHBBH", at_least, 8, 20, 0, 0, port) + struct.pack("=BBHBBH", at_most, 8, 12, 0, 0, port)
    return struct.pack("=HH", 4 + len(code), 1) + code
