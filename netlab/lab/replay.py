"""Replays bytes to a server on a connection of its own, and reads the answer.

Bounded in time and size. It knows no lab: an address and bytes go in, an outcome comes out.
"""

from __future__ import annotations

import contextlib
import socket
import time
from dataclasses import dataclass

from netlab.capture.model import Endpoint, Transport
from netlab.lab.errors import LabError

ANSWERING = 2.0
"""Seconds to wait for the first byte of an answer."""
QUIET = 0.3
"""Seconds of silence after which an answer counts as complete."""
MOST = 1 << 20
"""The most bytes of an answer that are read."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """The outcome of a replay: the client's address, bytes sent, the answer, and whether the server ended the flow."""

    client: Endpoint
    sent: int
    answer: bytes
    ended: bool

    def __str__(self) -> str:
        """The sentence for the console."""
        came = f"{len(self.answer)} bytes came back" if self.answer else f"nothing came back within {ANSWERING:g} s"
        closed = ", and the server closed the connection" if self.ended else ""
        came = "nothing came back" if self.ended and not self.answer else came
        return f"replayed {self.sent} bytes in a new flow from {self.client}: {came}{closed}"


def replay_in_new_flow(address: Endpoint, transport: Transport, payload: bytes) -> Replayed:
    """Send bytes to a server from a new socket and wait for the answer. Raises `LabError`."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    kind = socket.SOCK_STREAM if transport is Transport.TCP else socket.SOCK_DGRAM
    with socket.socket(family, kind) as sock:
        sock.settimeout(ANSWERING)
        try:
            sock.connect(address)
            client = Endpoint(*sock.getsockname()[:2])
            sock.sendall(payload)
        except OSError as error:
            raise LabError(
                f"the bytes could not be replayed: {error.strerror or error}", ":start serves again"
            ) from None
        answer, ended = _read(sock, stream=transport is Transport.TCP)
    return Replayed(client, len(payload), answer, ended)


def _read(sock: socket.socket, *, stream: bool) -> tuple[bytes, bool]:
    """The bytes until the end, a silence or the limit; and whether it was the end."""
    answer = bytearray()
    deadline = time.monotonic() + 2 * ANSWERING
    with contextlib.suppress(TimeoutError):
        while len(answer) < MOST and time.monotonic() < deadline:
            try:
                piece = sock.recv(1 << 16)
            except ConnectionError:
                return bytes(answer), True
            if stream and not piece:
                return bytes(answer), True
            answer += piece
            sock.settimeout(QUIET)
    return bytes(answer), False
