"""Notes what a server says while no call runs. The bytes stay to be read. It knows no transcript and no thread."""

from __future__ import annotations

import time
from collections.abc import Callable

from netlab.lab.client.connection import Connection
from netlab.lab.client.worker import Watched
from netlab.platforms import READABLE

SHOWN = 80
"""Bytes that a note shows."""
EVERY = 1.0
"""Seconds between two notes, at least."""
LOOKING = 0.25
"""Seconds between two looks while bytes wait to be read: `poll` reports these always, and not that more have come."""


class Arrivals:
    """What has come on one connection after the other, and what of it was noted."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self._noted, self._noted_at = 0, 0.0
        self._of: Connection | None = None

    def watched(self, connection: Connection, closing: int) -> Watched | None:
        """What to watch while idle: for bytes, and for the ``closing`` events."""
        fd = connection.fileno()
        if fd is None:
            return None
        if self._due(connection) or (not self._noted and not connection.unread(1)[0]):
            return Watched(fd, closing | READABLE)
        return Watched(fd, closing, LOOKING)

    def look(self, connection: Connection) -> None:
        """Note what has come, if it is more than before."""
        if problem := connection.datagram_error():
            self._note(problem)
        if not self._due(connection):
            return
        count, head = connection.unread(SHOWN)
        first, self._noted, self._noted_at = not self._noted, count, time.monotonic()
        shown = f": {head!r}{' …' if count > len(head) else ''}" if first else ""
        self._note(f"{_bytes(count)} to be read{shown}")

    def _due(self, connection: Connection) -> bool:
        """Whether more waits than was noted, and the last note was long enough ago."""
        if connection is not self._of:
            self._of, self._noted, self._noted_at = connection, 0, -EVERY
        count = connection.unread(1)[0]
        self._noted = min(self._noted, count)
        return count > self._noted and time.monotonic() - self._noted_at >= EVERY


def _bytes(count: int) -> str:
    return f"{count:,} bytes wait" if count != 1 else "1 byte waits"
