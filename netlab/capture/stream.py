"""What one direction of one flow carried, as one run of bytes that is never joined as a whole.

Knows a capture only by what it asks of it (`Source`): rows, their lengths, and views of their payload.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol, overload

LONGEST_JOIN = 1 << 20
"""Bytes that `Stream.view` joins at most."""


class Chunk(NamedTuple):
    """A run of a stream that came with one segment: its position, its bytes, and the segment's number.

    ``view`` is shorter than ``length`` when the capture did not keep all of it.
    """

    offset: int
    length: int
    view: memoryview
    segment: int


class Source(Protocol):
    """What a stream asks of its capture. Rows count from 0."""

    def rows(self, route: int, start: int, stop: int) -> Iterable[tuple[int, int, int]]:
        """Row, position and length of the segments from ``start`` to ``stop`` that belong to the stream ``route``.

        Where the position is below 0 the stream begins within the segment.
        """

    def payload(self, row: int) -> memoryview:
        """What the capture kept of a segment's bytes."""


class Stream(Sequence[Chunk]):
    """The bytes of one direction of one flow by their position: a sequence of chunks in that order.

    Bytes sent again appear once, as they came first. What the capture lacks is a gap between chunks, or a chunk whose
    view is short. Datagrams stand one after the other in the order of the capture. It does not grow by itself:
    `Capture.stream` brings it up to date.
    """

    def __init__(self, source: Source, route: int, *, datagrams: bool) -> None:
        self._source = source
        self._route = route
        self._datagrams = datagrams
        self._seen = self._let_go = 0  # segments; bytes
        self._offsets = array("Q")
        self._lengths = array("I")
        self._rows = array("Q")
        self._skipped = array("I")  # bytes at the segment's beginning that another chunk has

    def grow(self, rows: int) -> None:
        """Take in the capture's segments up to ``rows``."""
        for row, position, length in self._source.rows(self._route, self._seen, rows):
            self._add(row, self.length if self._datagrams else position, length)
        self._seen = rows

    def without(self, rows: int) -> Stream:
        """The same stream without the capture's segments before row ``rows``; itself if it has none of them.

        They are taken for its beginning, as they are where nothing is sent twice.
        """
        count = len(self._offsets)
        gone = bisect_left(self._rows, rows, hi=count)
        if not gone:
            return self
        later = Stream(self._source, self._route, datagrams=self._datagrams)
        later._seen, later._let_go = self._seen, self._end(gone - 1)
        later._offsets, later._lengths = self._offsets[gone:count], self._lengths[gone:count]
        later._rows, later._skipped = self._rows[gone:count], self._skipped[gone:count]
        return later

    def _add(self, row: int, position: int, length: int) -> None:
        if position >= self.length:
            self._insert(len(self._offsets), position, length, row, 0)
            return
        at, stop = max(position, 0), position + length
        while at < stop:
            index = bisect_right(self._offsets, at)
            after = self._offsets[index] if index < len(self._offsets) else stop
            if index and (end := self._end(index - 1)) > at:
                at = end
                continue
            piece = min(stop, after) - at
            self._insert(index, at, piece, row, at - position)
            at += piece

    def _insert(self, index: int, position: int, length: int, row: int, skipped: int) -> None:
        if length:
            self._lengths.insert(index, length)
            self._rows.insert(index, row)
            self._skipped.insert(index, skipped)
            self._offsets.insert(index, position)  # last, because a reader in another thread goes by its length

    def _end(self, index: int) -> int:
        return self._offsets[index] + self._lengths[index]

    @property
    def length(self) -> int:
        """Where the stream ends, in bytes from its beginning; gaps count, and what was let go."""
        return self._end(len(self._offsets) - 1) if self._offsets else self._let_go

    def __len__(self) -> int:
        return len(self._offsets)

    @overload
    def __getitem__(self, index: int) -> Chunk: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Chunk]: ...
    def __getitem__(self, index: int | slice) -> Chunk | Sequence[Chunk]:
        """The chunk at ``index``; its view shares the capture's memory."""
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        row, skipped, length = self._rows[index], self._skipped[index], self._lengths[index]
        view = self._source.payload(row)[skipped : skipped + length]
        return Chunk(self._offsets[index], length, view, row + 1)

    def index_at(self, position: int) -> int:
        """The index of the chunk that holds the byte at ``position``, or of the last one before it; -1 before all."""
        return bisect_right(self._offsets, position) - 1

    def view(self, start: int, end: int) -> memoryview:
        """The bytes from ``start`` up to ``end``, read-only: fewer if a gap begins, none if ``start`` is in one.

        Within one chunk it is a view of the capture itself. Across chunks it is joined from them, at most
        `LONGEST_JOIN` bytes.
        """
        pieces: list[memoryview] = []
        at, index = start, self.index_at(start)
        while 0 <= index < len(self) and at < end:
            chunk = self[index]
            if not chunk.offset <= at < chunk.offset + len(chunk.view):
                break
            piece = chunk.view[at - chunk.offset : end - chunk.offset]
            pieces.append(piece)
            at, index = at + len(piece), index + 1
            end = end if len(pieces) == 1 else min(end, start + LONGEST_JOIN)
        return pieces[0] if len(pieces) == 1 else memoryview(b"".join(pieces))
