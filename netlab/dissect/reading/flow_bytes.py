"""Where a reader stands in the bytes of a flow: what it has read of each direction, and which bytes come next.

It goes by the chunks of both streams (`netlab.capture.stream`), which are never joined as a whole, and knows no
protocol.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from netlab.capture.model import Direction
from netlab.capture.stream import Chunk

Streams = Mapping[Direction, Sequence[Chunk]]
REREAD = 16
"""How many waiting bytes may be shown again for each new one: so a long message in small segments stays linear."""
_FIRST_CREDIT = 1 << 16
_MOST_CREDIT = 1 << 24


@dataclass(slots=True)
class ReadSoFar:
    """How far one direction has been read.

    Chunks before ``index`` are read: up to ``position`` in the stream. The dissector is done with those before
    ``taken``, and has seen those before ``shown``. ``latest`` is the newest segment among them, ``wanted`` the position
    that the dissector waits for, ``lost`` how many bytes it does not know to be missing.
    """

    index: int = 0
    position: int = 0
    taken: int = 0
    shown: int = 0
    wanted: int = 0
    latest: int = 0
    lost: int = 0
    credit: int = _FIRST_CREDIT

    def copy(self) -> ReadSoFar:
        """The same place, to go on from later."""
        return ReadSoFar(
            self.index, self.position, self.taken, self.shown, self.wanted, self.latest, self.lost, self.credit
        )

    def come(self, chunk: Chunk) -> None:
        """Read on to the end of a chunk. What lies between is lost, and with it what waited before it."""
        if chunk.offset > self.position:
            self.skip(chunk.offset)
        self.position = max(self.position, chunk.offset + len(chunk.view))
        self.index += 1
        self.latest = max(self.latest, chunk.segment)
        self.credit = min(self.credit + REREAD * len(chunk.view), _MOST_CREDIT)

    def skip(self, position: int) -> None:
        """Pass over the bytes up to a position."""
        self.lost += position - self.taken
        self.position = self.taken = self.shown = position

    def may_show(self) -> bool:
        """Whether it is time to show the waiting bytes again."""
        again = max(self.shown - self.taken, 0)
        if self.position <= self.shown or self.position < self.wanted or again > self.credit:
            return False
        self.credit -= again
        return True

    def relocate(self, chunks: Sequence[Chunk]) -> bool:
        """Find the index again if chunks went or came before it. False: bytes came that should have been read."""
        before = chunks[self.index - 1] if 0 < self.index <= len(chunks) else None
        if not self.index or (before is not None and before.offset < self.position <= before.offset + before.length):
            return True
        index = bisect_left(chunks, self.position, key=lambda chunk: chunk.offset)
        known, self.index = self.index, index
        return index <= known


def bytes_between(chunks: Sequence[Chunk], start: int, end: int) -> memoryview:
    """The bytes from ``start`` to ``end``: a view if one chunk holds them, else a copy; fewer if a gap begins."""
    index = bisect_left(chunks, start + 1, key=lambda chunk: chunk.offset) - 1
    pieces: list[memoryview] = []
    at = start
    while 0 <= index < len(chunks) and at < end:
        chunk = chunks[index]
        if not chunk.offset <= at < chunk.offset + len(chunk.view):
            break
        piece = chunk.view[at - chunk.offset : end - chunk.offset]
        pieces.append(piece)
        at, index = at + len(piece), index + 1
    return pieces[0] if len(pieces) == 1 else memoryview(b"".join(pieces))
