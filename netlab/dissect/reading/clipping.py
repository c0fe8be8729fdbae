"""Fields of a longer run, seen from a part of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from netlab.dissect.fields import Field


def within(fields: Iterable[Field], by: int, length: int) -> tuple[Field, ...]:
    """The fields moved by so many bytes, without those that lie outside the first ``length`` bytes.

    One that begins before them keeps its start, which is below 0 then.
    """
    return tuple(clipped for field in fields if (clipped := _clipped(field, by, length)) is not None)


def _clipped(field: Field, by: int, length: int) -> Field | None:
    if field.buffer is not None:
        return field
    start, end = field.start + by, field.end + by
    if end < 0 or start > length or (end <= 0 < field.end - field.start):
        return None
    if not by:
        return field
    return replace(field, start=start, end=end, children=within(field.children, by, length))
