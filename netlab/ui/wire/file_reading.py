"""Reads a capture file on while it is shown: what is little at once, what is much in a thread. It knows no widget."""

from __future__ import annotations

import threading
import time
from typing import Final

from netlab.capture.capture_file import Capture

AT_ONCE: Final = 1 << 19
"""Bytes that are read in the caller's thread at most."""
_PACKETS: Final = 10_000
"""Packets that are read between two looks whether to stop."""
_PAUSE: Final = 0.0002
"""Seconds after them in which a key can be answered."""


class FileReading:
    """Reads one capture. Only this object grows it."""

    def __init__(self, capture: Capture) -> None:
        self._capture = capture
        self._thread: threading.Thread | None = None
        self._ending = threading.Event()
        self._failed_at = -1  # the file's size when nothing more could be read
        self.stopped = False
        """Whether the user stopped it."""

    @property
    def running(self) -> bool:
        """Whether the thread reads."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def words(self) -> str:
        """How far it is, while that is worth a word; else empty."""
        if not (self.running or self.stopped):
            return ""
        share = 100 * self._capture.position // max(self._capture.size, 1)
        return f"{'stopped at' if self.stopped else 'reading'} {share} %"

    @property
    def key(self) -> tuple[str, str]:
        """The action that changes that, and what its key does."""
        return ("follow", "{} reads on") if self.stopped else ("stop", "{} stops")

    def go_on(self) -> None:
        """Read what is there. Call it often."""
        size = self._capture.size
        if self.running or self.stopped or size == self._failed_at:
            return
        if size - self._capture.position <= AT_ONCE:
            self._capture.grow()
            return
        self._ending.clear()
        self._thread = threading.Thread(target=self._read, name="capture reading", daemon=True)
        self._thread.start()

    def stop(self) -> bool:
        """Stop the thread until `resume`. False if it does not run."""
        if not self.running:
            return False
        self.stopped = True
        self.end()
        return True

    def resume(self) -> None:
        """Read on if it was stopped."""
        self.stopped = False

    def end(self) -> None:
        """End the thread; return when it has ended."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join()

    def _read(self) -> None:
        capture = self._capture
        while (before := capture.position) < (size := capture.size) and not self._ending.is_set():
            capture.grow(at_most=_PACKETS)
            if capture.position == before:
                self._failed_at = size
                return
            time.sleep(_PAUSE)
