"""The buffers that streams are read into, and how much they hold together. It knows no socket."""

from __future__ import annotations

import mmap
from typing import Final

SIZE: Final = 1 << 20
"""Bytes read at most at a time. Half as much makes bulk that is captured a seventh slower."""
SMALL: Final = 1 << 14
"""The same once `MUCH` is held, and under faults, where each piece that they cut off is kept by itself."""
MUCH: Final = 1 << 25
"""Bytes held by all flows together, beyond which each reads only a little."""
SPARE: Final = 4
"""Buffers kept for the next use."""


def _new_buffer() -> memoryview:
    """A mapping, because it begins on a page: the kernel copies faster into it than into a bytearray."""
    return memoryview(mmap.mmap(-1, SIZE))


class Buffers:
    """The buffer that every pipe reads into, and what was read but could not be written yet.

    What does not leave at once keeps the buffer, and reading goes on in another one: no byte is copied for it.
    """

    def __init__(self) -> None:
        self._spare: list[memoryview] = []
        self.buffer = _new_buffer()
        self.held = 0

    def keep(self, rest: memoryview) -> memoryview:
        """A view of these bytes that stays valid while others read."""
        self.held += len(rest)
        if rest.obj is not self.buffer.obj:
            return rest
        if len(rest) <= SIZE // 2 or self.held > MUCH:
            return memoryview(bytes(rest))
        self.buffer = self._spare.pop() if self._spare else _new_buffer()
        return rest

    def give_back(self, left: memoryview) -> None:
        """The last of some kept bytes are written."""
        if isinstance(left.obj, mmap.mmap) and len(self._spare) < SPARE:
            self._spare.append(memoryview(left.obj))
