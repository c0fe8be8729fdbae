"""So many bytes from a client and not one more, however they arrive: ``recv(32)`` returns from 1 to 32 of them."""

from __future__ import annotations

from netlab.hardening.clients import ClientSocket
from netlab.hardening.patience import Deadline

AT_ONCE = 65536


def recv_exactly(client: ClientSocket, size: int, deadline: Deadline) -> bytes:
    """So many bytes by the deadline; fewer if the client ends its side. Memory is taken as they arrive."""
    received = bytearray()
    while len(received) < size and (chunk := client.recv_by(deadline, min(size - len(received), AT_ONCE))):
        received += chunk
    return bytes(received)
