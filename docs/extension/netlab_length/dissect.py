"""What the length server's datagrams carry: any bytes, or an answer."""

from __future__ import annotations

from netlab.capture.model import Direction
from netlab.dissect.fields import Dissection, Field


def dissect(data: memoryview, direction: Direction, offset: int = 0) -> Dissection:
    """One field: the datagram."""
    if direction is Direction.TO_CLIENT:
        text = bytes(data[:100]).decode("ascii", "replace")
        return Dissection((Field("answer", 0, len(data), "text", text),), text)
    return Dissection((Field("payload", 0, len(data), "bytes", bytes(data[:100]).hex(" ")),), f"{len(data)} bytes")
