"""Replaying bytes as a client of one's own would send them: a connection that nobody types into, and what came back.

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
"""Seconds within which the first byte must come back."""
QUIET = 0.3
"""Seconds of silence after which an answer is taken as whole."""
MOST = 1 << 20
"""Bytes of an answer that are read at most."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """Bytes were sent in a flow of their own: from where, how many, what came back, and whether the server ended it."""

    client: Endpoint
    sent: int
    answer: bytes
    ended: bool

    def __str__(self) -> str:
        """As the console says it."""
        came = f"{len(self.answer)} bytes came back" if self.answer else f"nothing came back within {ANSWERING:g} s"
        closed = ", and the server closed the connection" if self.ended else ""
        came = "nothing came back" if self.ended and not self.answer else came
        return f"replayed {self.sent} bytes in a new flow from {self.client}: {came}{closed}"


def replay_in_new_flow(address: Endpoint, transport: Transport, payload: bytes) -> Replayed:
    """Send bytes to a server from a new socket, and wait for what comes back. Raises `LabError`."""
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
    """What comes until the end, silence or the bound, and whether it was the end."""
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
