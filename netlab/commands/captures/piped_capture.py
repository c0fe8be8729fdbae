"""A capture that comes through a pipe, copied into a private file as it comes, so that panes can show it.

Panes go back and forth in a capture; a pipe does not. When the pipe is standard input, keys come from the terminal
itself, as in ``less``.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from netlab.capture.files.part import PREFIX
from netlab.capture.model import CaptureError
from netlab.lab.processes.private_folder import PrivateFolder

STANDARD_INPUT: Final = "-"
MOST: Final = 1 << 30
"""Bytes of a pipe that are kept; then no more is read."""
_TERMINAL: Final = "/dev/tty"


class PipedCapture:
    """The copy of a pipe. ``file`` grows while the pipe is read in a thread."""

    def __init__(self, path: Path, source: int | None, folder: Path) -> None:
        """``source`` is the pipe's descriptor; None: it is opened in the thread, since that waits for a writer."""
        self.name = "standard input" if str(path) == STANDARD_INPUT else path.name
        self.file = folder / "pipe.pcapng"
        self.file.touch(0o600)
        self.note = "arriving"
        """Whether more is to come, or why not."""
        self._path, self._source = path, source
        self._begun = threading.Event()
        threading.Thread(target=self._copy, name="reads the pipe", daemon=True).start()

    def wait(self, seconds: float | None) -> bool:
        """Wait until a capture can have begun, or the pipe has ended; False if neither is so yet."""
        return self._begun.wait(seconds)

    def _copy(self) -> None:
        try:
            source = os.open(self._path, os.O_RDONLY) if self._source is None else self._source
            self.note = self._copied(source)
        except OSError as error:
            self.note = f"ended: {error.strerror}"
        self._begun.set()

    def _copied(self, source: int) -> str:
        size = 0
        with self.file.open("ab", buffering=0) as copy:
            while piece := os.read(source, 1 << 16):
                copy.write(piece)
                size += len(piece)
                if size >= PREFIX:
                    self._begun.set()
                if size >= MOST:
                    return f"stopped at {MOST >> 30} GiB"
        return "ended"


@contextlib.contextmanager
def piped(path: Path) -> Iterator[PipedCapture]:
    """Copy a pipe while it is shown. Raises `CaptureError` if keys could come from nowhere."""
    source = _keys_from_the_terminal() if str(path) == STANDARD_INPUT else None
    folder = PrivateFolder(MOST)
    try:
        yield PipedCapture(path, source, folder.path)
    finally:
        folder.remove()


def _keys_from_the_terminal() -> int:
    """Let the terminal be standard input; what was it before, as a descriptor."""
    try:
        terminal = os.open(_TERMINAL, os.O_RDWR)
    except OSError:
        raise CaptureError("keys cannot come from a pipe, and there is no terminal; --text prints it") from None
    source = os.dup(0)
    os.dup2(terminal, 0)
    os.close(terminal)
    return source
