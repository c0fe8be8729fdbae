"""The private folder in which a lab's capture lives, and its end.

In memory (``/dev/shm``) if there is room, else among the temporary files. A folder is locked for as long as its
process lives; one whose lock is free was left by a process that was killed, and the next lab removes it.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

from netlab.platforms import NO_LINK, lock

PREFIX = "netlab-"
_OF_A_LAB = re.compile(rf"{PREFIX}\d+-\w{{8}}")
"""A process id, and what `tempfile.mkdtemp` adds. A person may have folders whose names begin alike."""
_MEMORY = Path("/dev/shm")
_FOLDER: int = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
_MAKING = threading.Lock()
_THERE: set[PrivateFolder] = set()


class PrivateFolder:
    """A folder of mode 0700 that `remove` takes away; ``room`` is how many bytes it is meant to hold."""

    def __init__(self, room: int) -> None:
        parent = _parent(room)
        _remove_stale(parent)
        with _MAKING:
            self.path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=parent))
            _THERE.add(self)
        self._lock = os.open(self.path, _FOLDER)
        lock(self._lock, wait=False)

    def capture(self, number: int) -> Path:
        """Where the capture of that number is written, counted from 1."""
        return self.path / f"capture-{number}.pcapng"

    def remove(self) -> None:
        """Remove the folder and what is in it. Twice does nothing."""
        if self._lock >= 0:
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self._lock)
            self._lock = -1
            _THERE.discard(self)


def remove_all() -> None:
    """Remove all folders of this process, which ends now; no more are made."""
    _MAKING.acquire(timeout=0.1)  # for good
    for folder in list(_THERE):
        shutil.rmtree(folder.path, ignore_errors=True)


def _parent(room: int) -> Path:
    """Memory, if it can be written to and twice the room is free."""
    with contextlib.suppress(OSError):
        if os.access(_MEMORY, os.W_OK | os.X_OK) and shutil.disk_usage(_MEMORY).free > 2 * room:
            return _MEMORY
    return Path(tempfile.gettempdir())


def _remove_stale(parent: Path) -> None:
    with contextlib.suppress(OSError):
        for entry in os.scandir(parent):
            if _OF_A_LAB.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                _remove_if_stale(entry)


def _remove_if_stale(entry: os.DirEntry[str]) -> None:
    """Remove one folder of our own user whose lock nobody holds and which is not just being made."""
    with contextlib.suppress(OSError):
        status = entry.stat(follow_symlinks=False)
        if not _is_ours(status) or _is_young(status):
            return
        fd = os.open(entry.path, _FOLDER | NO_LINK)
        try:
            lock(fd, wait=False)
            shutil.rmtree(entry.path, ignore_errors=True)
        finally:
            os.close(fd)


def _is_ours(status: os.stat_result) -> bool:
    """Made by this user, for nobody else to read."""
    ours = False
    if sys.platform != "win32":
        ours = status.st_uid == os.getuid() and not status.st_mode & 0o077
    return ours


def _is_young(status: os.stat_result) -> bool:
    """Made within the last seconds: perhaps not locked yet by who makes it."""
    return time.time() - status.st_mtime < 5
