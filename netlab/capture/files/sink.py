"""A pipe as the destination of a capture, such as Wireshark's: it never delays who writes.

What its reader has not taken yet waits in memory, bounded; beyond that whole blocks are refused. It knows no loop: who
has one sets ``waits``, which is called when something begins to wait, and calls `Sink.drain` when there may be room.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

from netlab.capture.files.destination import CaptureFile, Parts
from netlab.platforms import NO_WAIT, WRITABLE, never_block, ready

MOST_WAITING: Final = 4 << 20
"""Bytes that wait for the reader at most, beside the last blocks that were taken."""
LAST_CHANCE: Final = 1.0
"""Seconds that the reader has for the rest when the capture ends."""
_PIPE_SIZE: Final = 1 << 20
_SET_PIPE_SIZE: Final = 1031  # F_SETPIPE_SZ (fcntl(2), Linux)


def is_fifo(path: str) -> bool:
    """Whether there is a FIFO at a path."""
    with contextlib.suppress(OSError):
        return stat.S_ISFIFO(Path(path).stat().st_mode)
    return False


class Sink:
    """A pipe, by its descriptor or by the path of a FIFO, whose reader may come later. When it goes, writing ends."""

    files: tuple[CaptureFile, ...] = ()

    def __init__(self, where: int | str) -> None:
        self.descriptor = -1
        """-1 until somebody reads the FIFO."""
        self.waits: Callable[[], None] = lambda: None
        self._path = where if isinstance(where, str) else ""
        self._waiting: deque[memoryview] = deque()
        self._held = 0
        self._over: OSError | None = None
        if isinstance(where, int):
            self._take(where)

    def write(self, parts: Parts) -> bool:
        """See `Destination.write`."""
        if self._over is not None:
            raise self._over
        if self._held > MOST_WAITING:
            return False
        before = self._held
        block = memoryview(b"".join(parts))
        self._waiting.append(block)
        self._held += len(block)
        if not before and self.drain():
            self.waits()
        if self._over is not None:
            raise self._over
        return True

    def drain(self) -> bool:
        """Pass on what the reader takes now; whether something still waits."""
        try:
            while self._waiting and self._connected():
                taken = os.write(self.descriptor, self._waiting[0])
                self._held -= taken
                if taken < len(self._waiting[0]):
                    self._waiting[0] = self._waiting[0][taken:]
                else:
                    self._waiting.popleft()
        except BlockingIOError:
            pass
        except OSError as error:
            self._over = error
            self._waiting.clear()
            self._held = 0
        return bool(self._waiting)

    def close(self) -> None:
        """Give the reader a moment for the rest."""
        deadline = time.monotonic() + LAST_CHANCE
        while self.drain() and self.descriptor >= 0 and (left := deadline - time.monotonic()) > 0:
            ready(self.descriptor, WRITABLE, left)
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def _connected(self) -> bool:
        if self.descriptor < 0:
            try:
                self._take(os.open(self._path, os.O_WRONLY | NO_WAIT))
            except OSError as error:
                if error.errno != errno.ENXIO:  # which means that nobody reads it yet
                    raise
        return self.descriptor >= 0

    def _take(self, descriptor: int) -> None:
        self.descriptor = descriptor
        never_block(descriptor)
        if sys.platform != "win32":
            with contextlib.suppress(ImportError, OSError):
                import fcntl

                fcntl.fcntl(descriptor, _SET_PIPE_SIZE, _PIPE_SIZE)
