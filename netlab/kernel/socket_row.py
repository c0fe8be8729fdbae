"""A socket as the kernel describes it in an answer of sock_diag(7): ``inet_diag_msg`` and its attributes."""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Iterator
from enum import IntEnum
from functools import lru_cache
from typing import Final, NamedTuple

Address = tuple[str, int]
"""Host in digits and port. An IPv4 address that an IPv6 socket uses is written as IPv4."""

_MESSAGE: Final = struct.Struct("=BB2x2s2s16s16s16xIIII")
_ATTRIBUTE: Final = struct.Struct("=HH")
_INFO, _SKMEMINFO = 2, 7
_MAPPED: Final = bytes(10) + b"\xff\xff"
_RECEIVED: Final = slice(128, 136)  # tcpi_bytes_received, since Linux 4.1
_DROPS: Final = slice(32, 36)  # SK_MEMINFO_DROPS, since Linux 4.6


class State(IntEnum):
    """The states of a socket, as Linux numbers them (include/net/tcp_states.h)."""

    ESTABLISHED = 1
    SYN_SENT = 2
    SYN_RECV = 3
    FIN_WAIT1 = 4
    FIN_WAIT2 = 5
    TIME_WAIT = 6
    CLOSE = 7
    CLOSE_WAIT = 8
    LAST_ACK = 9
    LISTEN = 10
    CLOSING = 11
    NEW_SYN_RECV = 12


_BEFORE_ACCEPTING: Final = frozenset({State.SYN_RECV, State.NEW_SYN_RECV, State.ESTABLISHED, State.CLOSE_WAIT})
_STATES: Final = {int(state): state for state in State}


class SocketRow(NamedTuple):
    """One socket. ``inode`` is 0 while no process has it: not accepted yet, or closed.

    ``receive_queue`` and ``send_queue`` are bytes that were not read and that the peer did not confirm; an unread FIN
    counts one. Of a listening socket they are the connections that wait to be accepted and how many may. Of a UDP
    socket ``receive_queue`` is memory, more than the bytes of its datagrams. ``received`` counts the bytes that came,
    FIN included; ``drops`` the datagrams that were dropped. Both are None unless they were asked for.
    """

    state: State
    local: Address
    remote: Address
    receive_queue: int
    send_queue: int
    uid: int
    inode: int
    received: int | None = None
    drops: int | None = None

    @property
    def position_read(self) -> int | None:
        """How many bytes of its stream were read; one more once its end was read, too."""
        return None if self.received is None else self.received - self.receive_queue

    @property
    def waits_to_be_accepted(self) -> bool:
        """Whether it is a connection that the server has not accepted; its client may have left."""
        return self.inode == 0 and self.state in _BEFORE_ACCEPTING


def row(answer: bytes, *, attributes: bool = True) -> SocketRow:
    """Read one answer, without its netlink header; its attributes take longest."""
    family, state, port, remote_port, host, remote_host, receive, send, uid, inode = _MESSAGE.unpack_from(answer)
    return SocketRow(
        _STATES[state],
        (_host(family, host), port[0] << 8 | port[1]),
        (_host(family, remote_host), remote_port[0] << 8 | remote_port[1]),
        receive,
        send,
        uid,
        inode,
        *(_received_and_drops(answer) if attributes else ()),
    )


def _received_and_drops(answer: bytes) -> tuple[int | None, int | None]:
    received = drops = None
    for kind, value in _attributes(answer):
        if kind == _INFO and len(value) >= _RECEIVED.stop:
            received = int.from_bytes(value[_RECEIVED], sys.byteorder)
        elif kind == _SKMEMINFO and len(value) >= _DROPS.stop:
            drops = int.from_bytes(value[_DROPS], sys.byteorder)
    return received, drops


def packed(address: Address) -> tuple[int, bytes]:
    """The family of an address and its host as ``inet_diag_sockid`` has it. `OSError` if it is none in digits."""
    host = address[0].partition("%")[0]
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return family, socket.inet_pton(family, host).ljust(16, b"\0")


def _attributes(answer: bytes) -> Iterator[tuple[int, bytes]]:
    place = _MESSAGE.size
    while place + _ATTRIBUTE.size <= len(answer):
        length, kind = _ATTRIBUTE.unpack_from(answer, place)
        if length < _ATTRIBUTE.size:
            return
        yield kind, answer[place + _ATTRIBUTE.size : place + length]
        place += (length + 3) & ~3


@lru_cache(1024)
def _host(family: int, host: bytes) -> str:
    if family == socket.AF_INET:
        return socket.inet_ntop(socket.AF_INET, host[:4])
    if host.startswith(_MAPPED):
        return socket.inet_ntop(socket.AF_INET, host[12:])
    return socket.inet_ntop(socket.AF_INET6, host)
