"""Where clients write the secrets of their TLS sessions, while a lab lives.

On Linux a file in memory, without a name in any folder, so that it disappears with the process, however that ends.
Elsewhere a file in the lab's private folder, which the wire removes when the process is gone.
"""

from __future__ import annotations

import contextlib
import os
import sys
import weakref
from collections.abc import Callable
from pathlib import Path, PosixPath

from netlab.platforms import NO_LINK

NAME = "secrets.keylog"


class _Numbered(PosixPath):
    """A file by its descriptor's number, which is not reused as long as somebody may open this path."""

    def __new__(cls, file: int) -> _Numbered:
        """The path; the descriptor is closed when the last reference to it is gone."""
        path = super().__new__(cls, f"/proc/self/fd/{file}")
        weakref.finalize(path, os.close, file)
        return path


class KeyLog:
    """An empty key log, 0600 from its first byte. ``folder`` is called only if there is no other way."""

    def __init__(self, folder: Callable[[], Path]) -> None:
        self._file = _in_memory()
        self.path: Path
        """For this process alone."""
        if self._file >= 0:
            self.path = _Numbered(self._file)
        else:
            self.path = folder() / NAME
            os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_LINK, 0o600))

    @property
    def text(self) -> str:
        """What clients wrote so far."""
        with contextlib.suppress(OSError):
            return self.path.read_text("ascii", "replace")
        return ""

    def close(self) -> None:
        """Forget what was written; later writes go nowhere. Closing twice does nothing."""
        self.path = Path(os.devnull)
        if self._file >= 0:
            nowhere = os.open(os.devnull, os.O_RDWR)
            os.dup2(nowhere, self._file, inheritable=False)
            os.close(nowhere)
            self._file = -1


def _in_memory() -> int:
    """The descriptor of a file in memory that can be opened again by its number; -1 if the system has none."""
    file = -1
    if sys.platform == "linux" and hasattr(os, "memfd_create"):
        with contextlib.suppress(OSError):
            file = os.memfd_create("netlab key log")
            os.fchmod(file, 0o600)
            os.close(os.open(f"/proc/self/fd/{file}", os.O_RDWR))
            return file
    if file >= 0:
        os.close(file)
    return -1
