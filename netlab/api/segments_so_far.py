"""The segments of a capture up to a moment, and one as a line of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from netlab.capture.capture_file import Capture
from netlab.capture.model import Kind, Segment
from netlab.dissect.text import safe

SHOWN = 60
"""Bytes of a payload in a line."""


class SegmentsSoFar(Sequence[Segment]):
    """A capture's segments, as many as it has when this is made."""

    def __init__(self, capture: Capture) -> None:
        self._segments, self._count = capture.segments, len(capture.segments)

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
