"""Watches a Python file and the modules beside it: a thread that looks several times a second, on every system."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from itertools import islice
from pathlib import Path

EVERY = 0.1
"""Seconds between two looks."""
STABLE = 2
"""Looks for which nothing may change before a change counts: an editor writes a file in several steps."""
_MOST_FILES = 500
_SUBFOLDER = "hardening"

Print = tuple[tuple[str, int, int, int], ...]
"""Name, size, time of change and inode of each file."""


class FileWatch:
    """Calls ``changed`` in its own thread when a file or a module beside it was saved, renamed or replaced."""

    def __init__(self, path: Path, changed: Callable[[], None]) -> None:
        self._path, self._changed = path, changed
        self._over = threading.Event()
        self._seen = fingerprint(path)
        threading.Thread(target=self._watch, name=f"watch {path.name}", daemon=True).start()

    def stop(self) -> None:
        """Watch no longer. Returns at once; a call of ``changed`` may still run."""
        self._over.set()

    def _watch(self) -> None:
        last, still = self._seen, 0
        while not self._over.wait(EVERY):
            now = fingerprint(self._path)
            still = still + 1 if now == last else 0
            last = now
            if now != self._seen and still >= STABLE and self._path.exists():
                self._seen = now
                self._changed()


def fingerprint(path: Path) -> Print:
    """What changes when the file or a module beside it is saved."""
    found = []
    for folder in (path.parent, path.parent / _SUBFOLDER):
        try:
            with os.scandir(folder) as entries:
                found += [_print(each) for each in islice(entries, _MOST_FILES) if each.name.endswith(".py")]
        except OSError:
            continue
    return tuple(sorted(found))


def _print(entry: os.DirEntry[str]) -> tuple[str, int, int, int]:
    try:
        status = entry.stat()
    except OSError:
        return (entry.path, 0, 0, 0)
    return (entry.path, status.st_size, status.st_mtime_ns, status.st_ino)
