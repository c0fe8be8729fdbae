"""The key log that a program outside writes (``SSLKEYLOGFILE``: curl, browsers, Python), read while it grows.

Its secrets open whatever TLS the program speaks, also what is no concern of netlab: `of_clients` chooses.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from pathlib import Path

MOST = 4 << 20
"""Bytes of a key log that are kept, the newest; some 20,000 sessions."""
_HELLO_AT = 11
"""Where the random stands in a ClientHello that begins its record (RFC 8446, section 4.1.2)."""
_HANDSHAKE, _RANDOM = 0x16, 32


class OutsideKeys:
    """A key log by its path; it need not be there yet. It may be read from any thread."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).expanduser()
        self._lock = threading.Lock()
        self._read = 0
        self._kept = b""

    @property
    def text(self) -> str:
        """The whole lines so far; empty if the file cannot be read."""
        with self._lock:
            try:
                self._grow()
            except OSError:
                return ""
            return self._kept[: self._kept.rfind(b"\n") + 1].decode("ascii", "replace")

    def _grow(self) -> None:
        """Read what is new. A file that is shorter than before was begun again."""
        size = self.path.stat().st_size
        if size < self._read:
            self._read, self._kept = 0, b""
        if size == self._read:
            return
        with self.path.open("rb") as file:
            self._read = file.seek(max(self._read, size - MOST))
            new = file.read(MOST)
        self._read += len(new)
        self._kept = (self._kept + new)[-MOST:]


def client_random(to_server: memoryview) -> str:
    """The random of the ClientHello with which a stream begins, in hex; empty if none does."""
    if len(to_server) < _HELLO_AT + _RANDOM or to_server[0] != _HANDSHAKE:
        return ""
    return to_server[_HELLO_AT : _HELLO_AT + _RANDOM].hex()


def of_clients(keylog: str, randoms: Iterable[str]) -> str:
    """The lines of a key log that belong to these clients' sessions."""
    wanted = frozenset(filter(None, randoms))
    lines = (line for line in keylog.splitlines() if line.count(" ") == 2)
    return "".join(f"{line}\n" for line in lines if line.split(" ")[1].lower() in wanted)
