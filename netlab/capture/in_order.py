"""The bytes of one direction of one flow in order, while its segments come in any: pieces that wait are bounded."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from netlab.capture.model import Segment, Transport

MOST_WAITING = 16 << 20
"""Bytes that wait for earlier ones; beyond them those are given up."""


class InOrder:
    """Puts segments in order. Bytes sent again count once, as they came first; datagrams stand one after the other."""

    def __init__(self) -> None:
        self.position = 0
        """How much of the stream is over, in bytes from its beginning."""
        self.missing = 0
        """How many of these bytes the capture lacks."""
        self._offsets: list[int] = []
        self._waiting: list[tuple[memoryview, int]] = []  # what was kept of each piece, and its length
        self._held = 0

    def add(self, segment: Segment) -> Iterator[memoryview]:
        """Take a segment of the stream; the bytes that are next now."""
        if segment.flow.transport is Transport.UDP:
            self._put(self.position, segment.data, segment.length)
        else:
            self._fit(segment.offset, segment.data, segment.length)
        while self._offsets and (self._offsets[0] == self.position or self._held > MOST_WAITING):
            yield self._take()

    def end(self) -> Iterator[memoryview]:
        """The bytes that still wait: nothing comes between them."""
        while self._offsets:
            yield self._take()

    def _fit(self, offset: int, data: memoryview, length: int) -> None:
        """Let what nobody has yet of these bytes wait."""
        at, stop = max(offset, self.position), offset + length
        while at < stop:
            index = bisect_right(self._offsets, at)
            before = self._offsets[index - 1] + self._waiting[index - 1][1] if index else at
            if before > at:
                at = before
                continue
            after = min(stop, self._offsets[index]) if index < len(self._offsets) else stop
            self._put(at, data[at - offset : after - offset], after - at)
            at = after

    def _put(self, at: int, data: memoryview, length: int) -> None:
        if length:
            index = bisect_right(self._offsets, at)
            self._offsets.insert(index, at)
            self._waiting.insert(index, (data, length))
            self._held += length

    def _take(self) -> memoryview:
        """The first piece that waits; what lies before it is missing."""
        at, (data, length) = self._offsets.pop(0), self._waiting.pop(0)
        self._held -= length
        self.missing += at - self.position + length - len(data)
        self.position = at + length
        return data
