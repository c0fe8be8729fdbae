"""Finds rows of a file's index for the terms of a filter. Bytes are searched in large pieces, not row by row."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterator, Sequence
from struct import error as StructError  # noqa: N812 - a class, as its name says here
from typing import Final

from netlab.capture.files.file_memory import FileMemory
from netlab.capture.files.pcapng import Container
from netlab.capture.files.segment_index import SegmentIndex
from netlab.capture.frames.packets import PLAIN, RAW, TCP, plain_ip
from netlab.capture.model import CaptureError, Segment

_PIECE: Final = 1 << 20
"""Bytes that are searched at once: other threads wait that long."""


class RowSearch:
    """The index of one file, its memory, and its segments, by their row in the index. `IndexedSegments` of a filter."""

    def __init__(
        self,
        index: SegmentIndex,
        memory: FileMemory,
        container: Container,
        whole: Collection[int],
        segment: Callable[[int], Segment],
    ) -> None:
        """``whole`` are the rows whose bytes lie in several blocks."""
        self._index, self._memory, self._container, self._whole = index, memory, container, whole
        self.segment = segment
        self.routes, self.lengths = index.routes, index.lengths

    def events(self, rows: Sequence[int]) -> Collection[int]:
        """See `netlab.capture.filtering.terms.IndexedSegments`."""
        return _among(self._index.events, rows)

    def remarked(self, rows: Sequence[int]) -> Collection[int]:
        """See `netlab.capture.filtering.terms.IndexedSegments`."""
        return _among(self._index.remarked, rows)

    def holding(self, rows: Sequence[int], wanted: bytes, any_case: bool) -> Iterator[tuple[int, bool]]:
        """See `netlab.capture.filtering.terms.IndexedSegments`."""
        wanted = wanted.lower() if any_case else wanted
        for some in self._pieces(rows):
            start, stop = self._index.places[some[0]], self._stop(some[-1])
            view = self._memory.look(start, stop) if stop - start <= _PIECE else None
            if view is None:  # one that is large, or gone
                yield from ((row, False) for row in some)
                continue
            piece = bytes(view[start:stop])
            found = self._in_piece(some, view, start, piece.lower() if any_case else piece, wanted)
            if self._whole:
                found = sorted({**{row: False for row in some if row in self._whole}, **dict(found)}.items())
            yield from found

    def _stop(self, row: int) -> int:
        """Where the next segment's block begins, or what has been read ends."""
        places = self._index.places
        return places[row + 1] if row + 1 < len(places) else self._container.position

    def _pieces(self, rows: Sequence[int]) -> Iterator[Sequence[int]]:
        """Runs of these rows that lie within a piece of the file, or one that does not."""
        places, at = self._index.places, 0
        while at < len(rows):
            end = places[rows[at]] + _PIECE
            after = max(bisect_right(rows, end, at, key=self._stop), at + 1)
            yield rows[at:after]
            at = after

    def _in_piece(
        self, rows: Sequence[int], view: memoryview, start: int, piece: bytes, wanted: bytes
    ) -> list[tuple[int, bool]]:
        """The rows in whose blocks the bytes stand; whether they stand where the segment's own bytes are."""
        places, count, size = self._index.places, len(rows), len(wanted)
        found, after = [], 0
        at = piece.find(wanted)
        while at >= 0:
            here = start + at
            if after < count and places[rows[after]] <= here:
                after += 1
                if after < count and places[rows[after]] <= here:  # else it is in the next row, as it often is
                    after = bisect_right(rows, here, after, key=places.__getitem__)
            row = rows[after - 1]
            if here < self._stop(row):
                found.append((row, self._is_payload(row, view, here, here + size)))
            at = piece.find(wanted, places[rows[after]] - start) if after < count else -1
        return found

    def _is_payload(self, row: int, view: memoryview, begin: int, end: int) -> bool:
        """Whether these bytes are known to be the segment's: so they are behind plain headers."""
        try:
            _, link, start, stop, _, _ = self._container.frame(view, self._index.places[row])
        except (CaptureError, LookupError, StructError):  # replaced meanwhile
            return False
        ip = start if link == RAW else plain_ip(view, link, start, stop)
        if stop - ip < PLAIN or row in self._whole:
            return False
        payload = ip + 20 + (view[ip + 32] >> 2 & 0x3C)
        plain = view[ip] == 0x45 and view[ip + 9] == TCP
        return plain and payload <= begin and end <= stop and end <= payload + self._index.lengths[row]


def _among(wanted: Sequence[int], rows: Sequence[int]) -> Collection[int]:
    """Those of these rows that are among the wanted ones."""
    if not rows:
        return ()
    found = wanted[bisect_left(wanted, rows[0]) : bisect_right(wanted, rows[-1])]
    if isinstance(rows, range):
        return found
    return sorted(set(rows).intersection(found))
