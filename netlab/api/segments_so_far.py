"""The segments of a capture up to a moment, and one as a line of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import overload

from netlab.capture.capture_file import Capture
from netlab.capture.model import Kind, LetGo, Segment
from netlab.dissect.text import safe

SHOWN = 60
"""Bytes of a payload in a line."""


class SegmentsSoFar(Sequence[Segment]):
    """A capture's segments, as many as it has when this is made.

    The length and the index count also those that the capture has let go; they cannot be had (`IndexError`), and
    neither an iteration nor a slice, which is a tuple, has them.
    """

    def __init__(self, capture: Capture) -> None:
        self._capture = capture
        self._segments, self._count = capture.segments, len(capture.segments)

    def __iter__(self) -> Iterator[Segment]:
        return self.behind(0)

    def behind(self, number: int) -> Iterator[Segment]:
        """Those with a greater number."""
        for row in range(max(number, self._capture.let_go), self._count):
            with suppress(LetGo):  # meanwhile
                yield self._segments[row]

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Segment: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Segment]: ...
    def __getitem__(self, index: int | slice) -> Segment | Sequence[Segment]:
        """The segment at ``index``, counted from 0 (its number is one more)."""
        if isinstance(index, slice):
            return tuple(s for i in range(*index.indices(self._count)) for s in self._segments[i : i + 1])
        if not -self._count <= index < self._count:
            raise IndexError(f"{self._count} segments have crossed")
        return self._segments[index % self._count]

    def __repr__(self) -> str:
        return f"<{self._count} segments>"


def line(segment: Segment, began: int | None = None) -> str:
    """Number, seconds since ``began`` (ns), flow, direction, kind or bytes, and fate: safe for a terminal."""
    seconds = "" if began is None else f"{(segment.time_ns - began) / 1e9:9.3f}  "
    head = f"{segment.number:>5}  {seconds}flow {segment.flow.number} {segment.direction.value}"
    fate = f"  ({safe(segment.words)})" if segment.words else ""
    if not segment.carries:
        return f"{head}  {segment.kind.value}{fate}"
    shown = segment.data if segment.dropped is None else segment.dropped
    text = repr(bytes(shown[:SHOWN]))[1:] + ("…" if len(shown) > SHOWN else "")
    kind = "" if segment.kind is Kind.DATA else f"{segment.kind.value} "
    return f"{head}  {kind}{segment.length} bytes  {text}{fate}"
