"""The sources of a hex view: one run of bytes, or many runs in sequence.

A source returns slices of memoryviews. It copies only a slice that spans two or more runs, such as a row or a number
at the cursor; and what it is lent, since a slice that outlives the loan would forbid the owner to resize its buffer.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from netlab.capture.stream import Chunk

EMPTY = memoryview(b"")

BLOCK = 1 << 20
"""The most bytes of a lent buffer that are copied at once."""
_ROW, _ROWS = 1 << 12, 256
"""Of what a lent buffer had, the largest piece and the number of pieces that are remembered."""

Lend = Callable[[], AbstractContextManager[memoryview | None]]
"""Lends a buffer while the body runs."""


def _nothing() -> AbstractContextManager[None]:
    return nullcontext()


class ByteSource(Protocol):
    """Bytes with a length, read by slice, made of runs (chunks)."""

    @property
    def length(self) -> int:
        """Its size in bytes."""

    def view(self, start: int, end: int) -> memoryview:
        """The bytes from ``start`` to ``end``, clipped to the length. Not copied if they lie in one run."""

    def runs(self, start: int, end: int) -> Iterator[memoryview]:
        """The same bytes, run by run, never copied."""

    def starts(self, start: int, end: int) -> Sequence[int]:
        """Offsets in [``start``, ``end``) at which a run begins (none for a single run)."""

    def run_at(self, offset: int) -> int:
        """Index of the run that holds ``offset``, from 0."""

    def gaps(self, start: int, end: int) -> Sequence[tuple[int, int]]:
        """The ranges between ``start`` and ``end`` whose bytes are unknown; `view` has zeros there."""


class ViewSource:
    """One run of bytes: a segment, a session's buffer, a mapped file."""

    def __init__(self, view: memoryview = EMPTY) -> None:
        self._view = view if view.format == "B" and view.ndim == 1 else view.cast("B")

    @property
    def length(self) -> int:
        """Its size in bytes."""
        return len(self._view)

    def view(self, start: int, end: int) -> memoryview:
        """A slice of the view."""
        return self._view[max(start, 0) : max(end, 0)]

    def runs(self, start: int, end: int) -> Iterator[memoryview]:
        """The slice, if it is not empty."""
        if part := self.view(start, end):
            yield part

    def starts(self, start: int, end: int) -> Sequence[int]:
        """A single run has no boundaries to mark."""
        return ()

    def run_at(self, offset: int) -> int:
        """Always the one run."""
        return 0

    def gaps(self, start: int, end: int) -> Sequence[tuple[int, int]]:
        """Nothing is missing."""
        return ()


class LentSource(ViewSource):
    """A part of a buffer that is lent for each look: what is asked for is copied, and the loan given back.

    ``lend`` gives None while the buffer cannot be looked at; then the bytes that were seen there last are shown.
    """

    def __init__(self, lend: Lend, start: int, end: int) -> None:
        super().__init__()
        self._lend, self._start, self._length = lend, start, end - start
        self._seen: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        self.missed = False
        """Whether older bytes, or none, were returned since `look_again`."""

    @property
    def length(self) -> int:
        """Its size in bytes."""
        return self._length

    def view(self, start: int, end: int) -> memoryview:
        """A copy of these bytes, so ask for what is shown."""
        start, end = max(start, 0), min(max(end, 0), self._length)
        with self._lend() as lent:
            if lent is None:
                self.missed = True
                return memoryview(self._seen.get((start, end), bytes(max(end - start, 0))))
            found = bytes(lent[self._start + start : self._start + end])
        found = found.ljust(max(end - start, 0), b"\0")  # it may have been made shorter
        if len(found) <= _ROW:
            self._seen[start, end] = found
            self._seen.move_to_end((start, end))
            while len(self._seen) > _ROWS:
                self._seen.popitem(last=False)
        return memoryview(found)

    def runs(self, start: int, end: int) -> Iterator[memoryview]:
        """Copies of the bytes, block by block."""
        for at in range(max(start, 0), min(end, self._length), BLOCK):
            yield self.view(at, min(at + BLOCK, end))

    def look_again(self) -> bool:
        """Whether something was not seen as it is since the last call."""
        missed, self.missed = self.missed, False
        return missed


class BufferSource(LentSource):
    """A buffer that may still be filling. ``arrivals`` are the sizes of the pieces received so far, in order.

    Each piece is a run; the part that has not arrived is a gap. The buffer is a view, or is lent, of so many bytes.
    """

    def __init__(self, whole: memoryview | int = EMPTY, arrivals: Sequence[int] = (), lend: Lend | None = None) -> None:
        super().__init__(lend or _nothing, 0, whole if isinstance(whole, int) else whole.nbytes)
        self._whole = ViewSource(whole) if isinstance(whole, memoryview) else None
        self._arrivals = arrivals
        self._ends = array("Q")

    def view(self, start: int, end: int) -> memoryview:
        """A slice of the view, or a copy of what is lent."""
        return self._whole.view(start, end) if self._whole is not None else super().view(start, end)

    def runs(self, start: int, end: int) -> Iterator[memoryview]:
        """The same bytes, run by run."""
        return self._whole.runs(start, end) if self._whole is not None else super().runs(start, end)

    @property
    def pieces(self) -> int:
        """How many pieces `grow` has seen."""
        return len(self._ends)

    @property
    def filled(self) -> int:
        """Bytes in the pieces that `grow` has seen."""
        return min(self._ends[-1], self.length) if self._ends else 0

    def grow(self) -> bool:
        """Take the pieces that arrived since the last call; whether there were any."""
        before = len(self._ends)
        reached = self._ends[-1] if self._ends else 0
        for size in self._arrivals[before:]:
            reached += size
            self._ends.append(reached)
        return len(self._ends) > before

    def starts(self, start: int, end: int) -> Sequence[int]:
        """Where pieces begin."""
        index = bisect_left(self._ends, start)
        found = [0] if start == 0 < end else []
        while index < len(self._ends) and self._ends[index] < min(end, self.length):
            found.append(self._ends[index])
            index += 1
        return [at for at in found if at < self.filled]

    def run_at(self, offset: int) -> int:
        """Which piece holds ``offset``."""
        return bisect_right(self._ends, offset)

    def gaps(self, start: int, end: int) -> Sequence[tuple[int, int]]:
        """The part that has not arrived yet."""
        start, end = max(start, self.filled), min(end, self.length)
        return [(start, end)] if start < end else []


class SparseSource(ViewSource):
    """Bytes of which only some are known, such as the plaintext in a stream of records."""

    def __init__(self, view: memoryview, known: Sequence[tuple[int, int]]) -> None:
        """``known`` are (start, end), in order and apart from each other."""
        super().__init__(view)
        edges = [0, *(edge for span in known for edge in span), self.length]
        self._gaps = [(low, high) for low, high in zip(edges[::2], edges[1::2], strict=True) if low < high]

    def gaps(self, start: int, end: int) -> Sequence[tuple[int, int]]:
        """The ranges between the known ones."""
        index = max(bisect_right(self._gaps, (start, start)) - 1, 0)
        found = []
        while index < len(self._gaps) and self._gaps[index][0] < end:
            low, high = max(self._gaps[index][0], start), min(self._gaps[index][1], end)
            if low < high:
                found.append((low, high))
            index += 1
        return found


class StreamSource:
    """The chunks that one direction of a flow has now, in order.

    Bytes that the capture lacks are a gap: `view` fills it with zeros and `gaps` lists it.
    """

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        self._chunks = chunks
        self._count = len(chunks)
        self._length = chunks[-1].offset + chunks[-1].length if chunks else 0

    @property
    def length(self) -> int:
        """Where the last chunk ends."""
        return self._length

    def run_at(self, offset: int) -> int:
        """Index of the chunk that holds ``offset``; in a gap, of the chunk before it."""
        return max(bisect_right(self._chunks, offset, hi=self._count, key=_offset) - 1, 0)

    def _over(self, start: int, end: int) -> Iterator[Chunk]:
        index = self.run_at(start)
        while index < self._count and self._chunks[index].offset < end:
            yield self._chunks[index]
            index += 1

    def runs(self, start: int, end: int) -> Iterator[memoryview]:
        """Slices of the chunks from ``start`` to ``end``; gaps are left out."""
        for chunk in self._over(max(start, 0), end):
            if part := chunk.view[max(start - chunk.offset, 0) : max(end - chunk.offset, 0)]:
                yield part

    def gaps(self, start: int, end: int) -> Sequence[tuple[int, int]]:
        """The ranges between ``start`` and ``end`` that were not captured."""
        gaps, at = [], max(start, 0)
        end = min(end, self._length)
        for chunk in self._over(at, end):
            if chunk.offset > at:
                gaps.append((at, chunk.offset))
            at = max(at, chunk.offset + len(chunk.view))
        return [*gaps, (at, end)] if at < end else gaps

    def view(self, start: int, end: int) -> memoryview:
        """A slice if one chunk holds all of it, else a copy."""
        start, end = max(start, 0), min(max(end, 0), self._length)
        parts = [(chunk.offset, chunk.view) for chunk in self._over(start, end)]
        if len(parts) == 1 and parts[0][0] <= start and end <= parts[0][0] + len(parts[0][1]):
            return parts[0][1][start - parts[0][0] : end - parts[0][0]]
        joined = bytearray(max(end - start, 0))
        for offset, view in parts:
            part = view[max(start - offset, 0) : max(end - offset, 0)]
            at = max(offset - start, 0)
            joined[at : at + len(part)] = part
        return memoryview(joined).toreadonly()

    def starts(self, start: int, end: int) -> Sequence[int]:
        """Where the chunks begin."""
        return [chunk.offset for chunk in self._over(start, end) if chunk.offset >= start]


def _offset(chunk: Chunk) -> int:
    return chunk.offset
