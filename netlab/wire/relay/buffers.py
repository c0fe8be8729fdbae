"""The buffers that streams are read into, and how much they hold together. It knows no socket."""

from __future__ import annotations

import mmap
from typing import Final

ROOM: Final = 1 << 19
"""Bytes read at most at a time. Half of it costs an eighth more processor time a byte, twice of it hardly less."""
MODEST_ROOM: Final = 1 << 14
"""The same, once `MUCH` is held, and under faults: each piece that they cut a segment into is kept by itself."""
MUCH: Final = 1 << 25
"""Bytes held by all flows together, beyond which each reads only a little."""
SPARE_ROOMS: Final = 4


def _new_room() -> memoryview:
    """A mapping, because it begins on a page: the kernel copies faster into it than into a bytearray."""
    return memoryview(mmap.mmap(-1, ROOM))


class Rooms:
    """The buffer that every pipe reads into, and what was read but could not be written yet.

    What does not leave at once keeps the buffer, and reading goes on in another one: no byte is copied for it.
    """

    def __init__(self) -> None:
        self._spare: list[memoryview] = []
        self.room = _new_room()
        self.held = 0

    def keep(self, rest: memoryview) -> memoryview:
        """A view of these bytes that stays valid while others read."""
        self.held += len(rest)
        if rest.obj is not self.room.obj:
            return rest
        if len(rest) <= ROOM // 2 or self.held > MUCH:
            return memoryview(bytes(rest))
        self.room = self._spare.pop() if self._spare else _new_room()
        return rest

    def give_back(self, left: memoryview) -> None:
        """The last of some kept bytes are written."""
        if isinstance(left.obj, mmap.mmap) and len(self._spare) < SPARE_ROOMS:
            self._spare.append(memoryview(left.obj))
