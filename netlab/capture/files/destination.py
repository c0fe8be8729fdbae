"""Where the blocks of a capture go: one file, a chain of files of which the oldest are removed, or nowhere.

Files are written with ``pwritev``; nothing is mapped here, so a full disk is an `OSError` of a call and never a
SIGBUS. It knows no format.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from netlab.platforms import NO_LINK

FILES: Final = 8
"""A chain has so many files when it is full: an eighth is let go at a time."""
_MOST_PARTS: Final = 1000  # below IOV_MAX, 1024
_TRIES: Final = 100
"""How many names for the next file of a chain may be taken."""
_NOTHING = memoryview(b"")

Parts = Sequence[bytes | memoryview]


class CaptureFile(NamedTuple):
    """A file of a capture, and the position in the whole capture at which it begins, in bytes."""

    path: str
    start: int


class Destination(Protocol):
    """What takes blocks. ``files`` are those that have them now, oldest first."""

    @property
    def files(self) -> tuple[CaptureFile, ...]:
        """The files, oldest first; empty unless there are several."""

    def write(self, parts: Parts) -> bool:
        """Take whole blocks; False if it could not at the moment. Raises `OSError` if it takes no more."""

    def close(self) -> None:
        """Take no more."""


class SingleFile:
    """One file."""

    files: tuple[CaptureFile, ...] = ()

    def __init__(self, path: str) -> None:
        self._file = create(path)
        self._length = 0

    def write(self, parts: Parts) -> bool:
        """See `Destination.write`. If that fails, the file is whole up to here."""
        try:
            self._length += _write_all(self._file, parts, self._length)
        except OSError:
            os.ftruncate(self._file, self._length)
            raise
        return True

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


@dataclass(slots=True)
class _Link:
    file: CaptureFile
    length: int
    segments: int
    """Segments of the capture before this file."""


class Chain:
    """Files of about an eighth of ``limit`` bytes each, one after the other; the oldest are removed.

    A reader that has a removed file open or mapped still has its bytes. The second file of ``lab.pcapng`` is
    ``lab.2.pcapng``, the third ``lab.3.pcapng``; names that are taken are passed over.
    """

    def __init__(self, path: str, limit: int) -> None:
        self._path, self._limit, self._share = Path(path), limit, limit // FILES
        self._file = create(path)
        self._links = deque([_Link(CaptureFile(path, 0), 0, 0)])
        self._number = 1

    @property
    def files(self) -> tuple[CaptureFile, ...]:
        """See `Destination.files`."""
        return tuple(link.file for link in self._links)

    @property
    def is_due(self) -> bool:
        """Whether the file has its share, and the next one should begin."""
        return self._links[-1].length >= self._share

    @property
    def let_go(self) -> int:
        """How many segments were in files that are removed."""
        return self._links[0].segments

    def write(self, parts: Parts) -> bool:
        """See `Destination.write`. If the disk is full, older files go first."""
        last = self._links[-1]
        while True:
            try:
                last.length += _write_all(self._file, parts, last.length)
            except OSError:
                if len(self._links) == 1:
                    os.ftruncate(self._file, last.length)
                    raise
                self._remove_oldest()
            else:
                return True

    def begin_next(self, segments: int) -> None:
        """Begin the next file, with so many segments before it, and let go as much as that takes."""
        last = self._links[-1]
        path, file = self._create_next()
        os.close(self._file)
        self._file = file
        self._links.append(_Link(CaptureFile(path, last.file.start + last.length), 0, segments))
        while len(self._links) > 1 and sum(link.length for link in self._links) + self._share > self._limit:
            self._remove_oldest()

    def close(self) -> None:
        """Close the file that is written."""
        os.close(self._file)

    def _create_next(self) -> tuple[str, int]:
        for _ in range(_TRIES):
            self._number += 1
            path = str(self._path.with_name(f"{self._path.stem}.{self._number}{self._path.suffix}"))
            with contextlib.suppress(FileExistsError):
                return path, create(path)
        raise FileExistsError(0, f"{path} and those before it are there already")

    def _remove_oldest(self) -> None:
        with contextlib.suppress(OSError):
            os.unlink(self._links.popleft().file.path)  # noqa: PTH108 - a string, as it was announced


def why_no_more(error: OSError) -> str:
    """Why a destination takes no more, in words."""
    if isinstance(error, BrokenPipeError):
        return "nobody reads the capture any more"
    return f"no space left for the capture ({error.strerror})"


def create(path: str) -> int:
    """A new file; an existing one is never written to, not even through a link."""
    return os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | NO_LINK, 0o600)


def _write_all(file: int, parts: Parts, position: int) -> int:
    """``pwritev`` if the system has it, however little it takes at a time; how many bytes that were."""
    size = sum(map(len, parts))
    if sys.platform != "win32":
        if len(parts) > _MOST_PARTS:
            parts = (b"".join(parts),)
        written = os.pwritev(file, parts, position)
        rest = memoryview(b"".join(parts))[written:] if written < size else _NOTHING
        while rest:
            position += written
            written = os.pwrite(file, rest, position)
            rest = rest[written:]
    else:
        os.lseek(file, position, os.SEEK_SET)
        rest = memoryview(b"".join(parts))
        while rest:
            rest = rest[os.write(file, rest) :]
    return size
