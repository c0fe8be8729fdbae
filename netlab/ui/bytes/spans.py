"""Spans over bytes, found by bisection, so that a row costs the same with ten fields or ten thousand."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

from netlab.dissect.fields import Field


class ByteSpan(NamedTuple):
    """Bytes ``start`` to ``end`` (exclusive), with a label."""

    start: int
    end: int
    label: str = ""


class Spans:
    """Spans that do not overlap, in order. Where they would, the one that begins earlier wins."""

    def __init__(self, spans: Iterable[ByteSpan] = ()) -> None:
        self._spans: list[ByteSpan] = []
        reached = -(1 << 63)
        for span in sorted(spans):
            if span.end > max(span.start, reached):
                self._spans.append(ByteSpan(max(span.start, reached), span.end, span.label))
                reached = span.end
        self._starts = [span.start for span in self._spans]

    def __len__(self) -> int:
        return len(self._spans)

    @property
    def first(self) -> ByteSpan | None:
        """The first span."""
        return self._spans[0] if self._spans else None

    @property
    def covered(self) -> int:
        """How many bytes they cover."""
        return sum(span.end - span.start for span in self._spans)

    def index_at(self, offset: int) -> int:
        """Index of the span that holds ``offset``, or -1."""
        index = bisect_right(self._starts, offset) - 1
        return index if index >= 0 and offset < self._spans[index].end else -1

    def at(self, offset: int) -> ByteSpan | None:
        """The span that holds ``offset``."""
        index = self.index_at(offset)
        return self._spans[index] if index >= 0 else None

    def row(self, start: int, end: int) -> list[int]:
        """For each byte from ``start`` to ``end`` the index of its span, or -1."""
        found = [-1] * (end - start)
        index = max(bisect_right(self._starts, start) - 1, 0)
        while index < len(self._spans) and self._starts[index] < end:
            span = self._spans[index]
            for offset in range(max(span.start, start), min(span.end, end)):
                found[offset - start] = index
            index += 1
        return found


def leaves(fields: Iterable[Field]) -> Iterable[Field]:
    """The fields without children, in order; those in derived buffers are left out."""
    waiting = list(fields)[::-1]
    while waiting:
        field = waiting.pop()
        children = [child for child in field.children if child.buffer is None]
        if children:
            waiting.extend(children[::-1])
        else:
            yield field


def field_spans(fields: Iterable[Field]) -> Spans:
    """The leaves of a dissection as spans."""
    here = [field for field in fields if field.buffer is None]
    return Spans(ByteSpan(field.start, field.end, field.name) for field in leaves(here))


def spans_in(roots: Iterable[Field]) -> Spans:
    """The leaves of fields that lie in one derived buffer."""
    return Spans(ByteSpan(field.start, field.end, field.name) for field in leaves(roots))


def changed_spans(before: memoryview, after: memoryview) -> Spans:
    """The runs of bytes of ``after`` that differ from ``before`` at the same offset, and those added at the end."""
    spans: list[ByteSpan] = []
    start = -1
    common = min(len(before), len(after))
    if before[:common] != after[:common]:
        for offset in range(common):
            differs = before[offset] != after[offset]
            if differs and start < 0:
                start = offset
            elif not differs and start >= 0:
                spans.append(ByteSpan(start, offset, "changed"))
                start = -1
    if start >= 0:
        spans.append(ByteSpan(start, common, "changed"))
    if len(after) > common:
        spans.append(ByteSpan(common, len(after), "added"))
    return Spans(spans)
