"""Whole messages over a stream of bytes, as multiprocessing frames them: in front of each stands its length."""

from __future__ import annotations

import socket
import struct
import time

from netlab.hardening.clients import ClientSocket
from netlab.hardening.connecting import as_bytes
from netlab.hardening.events import Refused
from netlab.hardening.patience import Deadline
from netlab.hardening.receiving import receive


def framed(message: bytes) -> bytes:
    """A message with its length in front, in four bytes."""
    return struct.pack("!i", len(message)) + message


class ServerEnd:
    """Receives each message by a deadline, and takes memory only as it arrives."""

    def __init__(self, client: ClientSocket, limit: int, deadline: Deadline) -> None:
        self.client, self.limit, self.deadline = client, limit, deadline

    def send_bytes(self, message: bytes) -> None:
        """Send a message."""
        self.client.sendall(framed(message))

    def recv_bytes(self, limit: int | None = None) -> bytes:
        """Wait for a message; `EOFError` if the client ended instead."""
        (length,) = struct.unpack("!i", receive(self.client, 4, self.deadline))
        if length == -1:  # 2 GiB or more: the length is in the next eight bytes
            (length,) = struct.unpack("!Q", receive(self.client, 8, self.deadline, begun=True))
        limit = limit or self.limit
        if not 0 <= length <= limit:
            raise Refused(f"it announced a message of {length:,} bytes, {limit:,} is the limit")
        return receive(self.client, length, self.deadline, begun=True)


class ClientEnd:
    """Receives each message within the timeout. If that is over, or waiting is given up, what came of it stays."""

    def __init__(self, connected: socket.socket, timeout: float, limit: int) -> None:
        self.socket, self.timeout, self._limit = connected, timeout, limit
        self._received = bytearray()

    def send_bytes(self, data: bytes) -> None:
        """Send bytes as a message, as they are: they may be a bad pickle, or none."""
        self.send_raw(framed(as_bytes(data)))

    def send_raw(self, data: bytes) -> None:
        """Send bytes that need not be a valid message: no length is put in front."""
        self.socket.settimeout(self.timeout)
        self.socket.sendall(as_bytes(data))

    def recv_bytes(self, maxlength: int | None = None) -> bytes:
        """Wait for a message and show its bytes, without loading it."""
        self._fill(start := 4)
        (length,) = struct.unpack_from("!i", self._received)
        if length == -1:  # as above
            self._fill(start := 12)
            (length,) = struct.unpack_from("!Q", self._received, 4)
        limit = self._limit if maxlength is None else maxlength
        if not 0 <= length <= limit:
            self.socket.close()  # where the next message would begin is not known
            raise ValueError(f"the server announced a message of {length:,} bytes, {limit:,} is the limit: closed")
        self._fill(start + length)
        message = bytes(memoryview(self._received)[start : start + length])
        del self._received[: start + length]
        return message

    def poll(self, timeout: float = 0.0) -> bool:
        """Whether something arrives within so many seconds: part of a message will do, and so will the end."""
        try:
            self._fill(1, min(max(timeout, 0.0), 86400.0))
        except TimeoutError:
            return False
        except EOFError:
            pass
        return True

    def _fill(self, size: int, timeout: float | None = None) -> None:
        """Wait until there are ``size`` bytes, and leave them there."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while len(self._received) < size:
            self.socket.settimeout(max(deadline - time.monotonic(), 0.001))
            chunk = self.socket.recv(min(size - len(self._received), 65536))
            if not chunk:
                raise EOFError("the server closed the connection")
            self._received += chunk
