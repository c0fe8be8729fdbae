"""A socket and a file that count what they receive, for code that does not count itself."""

import io
import socket
from typing import Any

from netlab.topics.zerocopy.transfer import Transfer

SMALL = 1 << 16


class CountingSocket:
    """Counts what it receives, and ends by an `EOFError` what would loop without end after an early close."""

    def __init__(self, sock: socket.socket, transfer: Transfer) -> None:
        self._sock, self._transfer = sock, transfer

    def recv(self, size: int) -> bytes:
        """As `socket.socket.recv`."""
        piece = self._sock.recv(size)
        self._transfer.hold(self._transfer.arrived(len(piece)))
        self._transfer.hold(-len(piece))
        return piece


class CountingFile(io.RawIOBase):
    """What ``sock.makefile("rb", buffering=0)`` makes, but it counts."""

    def __init__(self, sock: socket.socket, transfer: Transfer) -> None:
        self._sock, self._transfer = sock, transfer

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Receive a piece; from a buffer no larger than the file's own it is copied once more."""
        count = self._transfer.arrived(self._sock.recv_into(buffer))
        self._transfer.copied += count if len(buffer) <= SMALL else 0
        return count
