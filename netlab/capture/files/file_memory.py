"""A capture's file in memory, in two ways: mapped, or copied as far as it is being looked at.

Reading a mapped page beyond the file's end ends the process by SIGBUS, and no check beforehand helps: the file can be
cut short in between. So a file that belongs to others is copied, a window at a time, and the rest of the memory is not
taken. Positions are the file's own in both.
"""

from __future__ import annotations

import mmap
import os
import sys
import threading
from collections.abc import Iterator
from io import FileIO
from typing import Final, Protocol

from netlab.capture.files.pcapng import Container, Frame
from netlab.capture.model import CaptureDamage

WINDOW: Final = 1 << 16
"""Bytes that a look copies at least: the next one is often nearby."""
STEP: Final = 1 << 20
"""Bytes that are read on at once."""
LONGEST_BLOCK: Final = 256 << 20
"""Bytes of a block that is waited for; a longer one is damage."""


class FileMemory(Protocol):
    """The memory of a file. `reach` comes first, and again when the file has grown."""

    @property
    def reading(self) -> memoryview:
        """Where `frames` lie."""

    def reach(self, length: int) -> None:
        """Let there be room for so many bytes. Raises `OSError` if that fails."""

    def look(self, start: int, stop: int) -> memoryview | None:
        """Memory in which the bytes from ``start`` to ``stop`` can be read now; None if the file ends before.

        Another look of the same thread may change the memory.
        """

    def kept(self, view: memoryview) -> memoryview:
        """A piece of such memory, so that it stays as it is."""

    def frames(self, container: Container, length: int) -> Iterator[Frame]:
        """The frames up to ``length``; read each one before the next."""


class MappedFile:
    """A file that nobody cuts short. Old maps live as long as views of them."""

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self.reading = memoryview(b"")

    def reach(self, length: int) -> None:
        """See `FileMemory.reach`."""
        if len(self.reading) < length:
            self.reading = memoryview(mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ))

    def look(self, start: int, stop: int) -> memoryview | None:
        """See `FileMemory.look`: all of it can be read."""
        return self.reading

    def kept(self, view: memoryview) -> memoryview:
        """See `FileMemory.kept`: the view itself."""
        return view

    def frames(self, container: Container, length: int) -> Iterator[Frame]:
        """See `FileMemory.frames`."""
        return container.frames(self.reading, length)


class CopiedFile:
    """A file that others may cut short at any time."""

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self._room = 0
        self._window = _Window(file, 0)
        self._own = threading.local()  # each thread looks elsewhere

    @property
    def reading(self) -> memoryview:
        """See `FileMemory.reading`."""
        return self._window.view

    def reach(self, length: int) -> None:
        """See `FileMemory.reach`."""
        if self._room < length:
            room = max(2 * length, 64 * STEP)  # address space: memory is taken by what is copied
            self._window, self._room = _Window(self._file, room), room

    def look(self, start: int, stop: int) -> memoryview | None:
        """See `FileMemory.look`."""
        window: _Window | None = getattr(self._own, "window", None)
        if window is None or len(window.view) < stop:
            window = self._own.window = _Window(self._file, self._room)
        return window.view if window.copy(start, stop) >= stop else None

    def kept(self, view: memoryview) -> memoryview:
        """See `FileMemory.kept`: a copy."""
        return memoryview(bytes(view))

    def frames(self, container: Container, length: int) -> Iterator[Frame]:
        """See `FileMemory.frames`. A file that is shorter than that by now ends where it does."""
        window, step = self._window, STEP
        while (before := container.position) < length:
            stop = min(before + step, length)
            end = min(window.copy(before, stop), stop)
            yield from container.frames(window.view, end)
            if end < stop or (end == length and container.position == before):
                return
            if step > LONGEST_BLOCK:
                raise CaptureDamage("the block", before, "is too long")
            step = step * 4 if container.position == before else STEP


class _Window:
    """Memory as large as a file, of which one run of bytes is copied; the rest is zeros, and takes no room."""

    def __init__(self, file: FileIO, room: int) -> None:
        self._file = file
        self._memory = _reserved(room or 1)
        self.view = memoryview(self._memory)[:room]
        self._start = self._stop = 0

    def copy(self, start: int, stop: int) -> int:
        """Have the bytes from ``start`` to ``stop``; where what there is of them ends."""
        if self._start <= start and stop <= self._stop:
            return self._stop
        self._let_go()
        wanted = self.view[start : max(stop, start + WINDOW)]
        at = start
        while wanted and (got := _read(self._file.fileno(), wanted, at)):
            wanted, at = wanted[got:], at + got
        self._start, self._stop = start, at
        return at

    def _let_go(self) -> None:
        if sys.platform != "win32" and self._stop > self._start:
            first = self._start - self._start % mmap.PAGESIZE
            self._memory.madvise(mmap.MADV_DONTNEED, first, self._stop - first)
        self._start = self._stop = 0


def _reserved(size: int) -> mmap.mmap:
    """Memory that is taken page by page, as it is written to."""
    if sys.platform != "win32":
        return mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", 0))
    raise AssertionError("files are mapped there")


def _read(file: int, into: memoryview, at: int) -> int:
    if sys.platform != "win32":
        return os.preadv(file, [into], at)
    raise AssertionError("files are mapped there")
