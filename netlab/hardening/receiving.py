"""Whole messages from a client within a time: so many bytes and not one more, or a line.

``recv(32)`` returns from 1 to 32 bytes, however a message was sent.
"""

from __future__ import annotations

from netlab.hardening.clients import ClientSocket
from netlab.hardening.events import Refused
from netlab.hardening.patience import Deadline

AT_ONCE = 65536
LINE_AT_ONCE = 8192
STEP = 1 << 20
LONGEST_LINE = 65536


def recv_exactly(client: ClientSocket, size: int, deadline: Deadline) -> bytes:
    """So many bytes by the deadline; fewer if the client ends its side. Memory is taken as they arrive."""
    received = bytearray()
    while len(received) < size and (chunk := client.recv_by(deadline, min(size - len(received), AT_ONCE))):
        received += chunk
    return bytes(received)


def receive(
    client: ClientSocket, size: int, deadline: Deadline, what: str = "message", *, begun: bool = False
) -> bytes:
    """The next ``size`` bytes of a message, whose beginning may be here already.

    `EOFError`: the client ended instead of beginning. `ConnectionError`, `TimeoutError`: it left or stalled within.
    """
    try:
        first = b"" if begun else recv_exactly(client, 1, deadline)
    except TimeoutError:
        raise TimeoutError(f"silent for {deadline.seconds:g} s") from None
    if not begun and not first:
        raise EOFError
    try:
        received = first + recv_exactly(client, size - len(first), deadline)
    except TimeoutError:
        raise TimeoutError(f"no whole {what} within {deadline.seconds:g} s") from None
    if len(received) < size:
        raise _left(what, len(received), size)
    return received


def receive_into(client: ClientSocket, view: memoryview, deadline: Deadline, what: str = "message") -> None:
    """Fill a view with the rest of a message, in place. Each MiB has the whole time; errors as in `receive`."""
    filled = 0
    while filled < len(view):
        if filled % STEP == 0:
            deadline.renew()
        end = min(filled - filled % STEP + STEP, len(view))
        try:
            with view[filled:end] as rest:  # a traceback would keep it, and so keep a mapping from being closed
                count = client.recv_into_by(deadline, rest)
        except TimeoutError:
            slow = f"after {filled:,} of {len(view):,} bytes it sent less than 1 MiB in {deadline.seconds:g} s"
            raise TimeoutError(slow) from None
        if count == 0:
            raise _left(what, filled, len(view))
        filled += count


def _left(what: str, received: int, size: int) -> ConnectionError:
    return ConnectionError(f"it left in the middle of a {what}: after {received:,} of {size:,} bytes")


class LineReader:
    """Reads lines from a client. It may stay silent between two, and once a line has begun it must come to its end."""

    def __init__(self, client: ClientSocket) -> None:
        self._client = client
        self._deadline = Deadline(client.patience)
        self._received = bytearray()

    def read_line(self) -> bytes:
        """The next line; at the end of the stream what is left, then ``b""``."""
        if not self._received:
            chunk = self._client.recv(LINE_AT_ONCE)
            if chunk.find(b"\n") == len(chunk) - 1:  # one whole line, as people and most programs send it; or the end
                return chunk
            self._received += chunk
        self._deadline.renew()
        while not (length := self._received.find(b"\n") + 1):
            chunk = self._next_chunk() if len(self._received) <= LONGEST_LINE else b""
            self._received += chunk
            if not chunk:
                length = len(self._received)
                break
        if length > LONGEST_LINE:
            raise Refused(f"a line of more than {LONGEST_LINE} bytes")
        line = bytes(self._received[:length])
        del self._received[:length]
        return line

    def _next_chunk(self) -> bytes:
        try:
            return self._client.recv_by(self._deadline, AT_ONCE)
        except TimeoutError:
            raise TimeoutError(f"no whole line within {self._deadline.seconds:g} s") from None
