"""A segment as a line of text or as a JSON object: its fields by name. Both are safe for a terminal."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from netlab.capture.model import Direction, Segment
from netlab.dissect.text import safe

Value = str | int | float | None


class SegmentRow(NamedTuple):
    """A segment, when the capture's first one crossed, and the segment's bytes in words."""

    segment: Segment
    start_ns: int
    summary: str


class FieldOfSegment(NamedTuple):
    """What a field is called, what it holds, and how it is read."""

    name: str
    help: str
    read: Callable[[SegmentRow], Value]


_DIRECTIONS: Final = {Direction.TO_SERVER: "to server", Direction.TO_CLIENT: "to client"}


def _time(row: SegmentRow) -> str:
    seconds, nanoseconds = divmod(row.segment.time_ns, 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanoseconds:09d}Z"


def _seconds(row: SegmentRow) -> float:
    return (row.segment.time_ns - row.start_ns) / 1e9


def _original(row: SegmentRow) -> str | None:
    return None if row.segment.original is None else row.segment.original.hex()


_FIELDS: Final = (
    FieldOfSegment("number", "counts from 1", lambda row: row.segment.number),
    FieldOfSegment("time", "when it crossed, in UTC to the nanosecond, as in 2026-11-28T17:00:00.000000001Z", _time),
    FieldOfSegment("seconds", "since the capture's first segment", _seconds),
    FieldOfSegment("flow", "the number of its conversation, from 1", lambda row: row.segment.flow.number),
    FieldOfSegment("transport", "tcp or udp", lambda row: row.segment.flow.transport.value),
    FieldOfSegment("client", "HOST:PORT", lambda row: str(row.segment.flow.client)),
    FieldOfSegment("server", "HOST:PORT", lambda row: str(row.segment.flow.server)),
    FieldOfSegment("direction", '"to server" or "to client"', lambda row: _DIRECTIONS[row.segment.direction]),
    FieldOfSegment("kind", "open, data, fin or reset", lambda row: row.segment.kind.value),
    FieldOfSegment("length", "bytes that crossed", lambda row: row.segment.length),
    FieldOfSegment("summary", "its bytes in words", lambda row: row.summary),
    FieldOfSegment("fate", "what a fault did to it, in words; often empty", lambda row: safe(row.segment.fate)),
    FieldOfSegment("outcome", "delivered, changed or dropped", lambda row: row.segment.outcome.value),
)
_ON_REQUEST: Final = (
    FieldOfSegment("offset", "where it begins in its direction's stream", lambda row: row.segment.offset),
    FieldOfSegment("data", "the bytes that the capture kept, in hex", lambda row: row.segment.data.hex()),
    FieldOfSegment("original", "the bytes before a fault changed or dropped them, in hex, or null", _original),
)
FIELDS: Final = {field.name: field for field in (*_FIELDS, *_ON_REQUEST)}
"""All fields by name, in the order in which they are shown."""
USUAL: Final = tuple(field.name for field in _FIELDS)
"""The fields of a JSON object unless others are asked for."""


def chosen(names: str) -> tuple[str, ...]:
    """The fields that are listed, separated by commas. `ValueError` says which one does not exist."""
    found = tuple(name.strip() for name in names.split(","))
    for name in found:
        if name not in FIELDS:
            raise ValueError(f"there is no field {safe(name)[:40]!r}; there are {', '.join(FIELDS)}")
    return found


def as_json(row: SegmentRow, names: Sequence[str]) -> str:
    """One object on one line, in ASCII."""
    return json.dumps({name: FIELDS[name].read(row) for name in names}, separators=(",", ":"))


def as_table(row: SegmentRow, names: Sequence[str]) -> str:
    """The fields' values, separated by tabs; none contains one."""
    return "\t".join(_shown(FIELDS[name].read(row)) for name in names)


def _shown(value: Value) -> str:
    if isinstance(value, float):
        return f"{value:.9f}"
    return "" if value is None else str(value)


class TextLines:
    """One line a segment, for reading: number, seconds, flow, addresses, kind, bytes, words."""

    def __init__(self) -> None:
        self._width = 0

    def line(self, row: SegmentRow) -> str:
        """A segment's line; its columns are as wide as any before."""
        segment = row.segment
        addresses = f"{segment.flow.client} {segment.direction.value} {segment.flow.server}"
        self._width = max(self._width, len(addresses))
        length = str(segment.length) if segment.carries else "·"
        said = " · ".join(filter(None, (safe(segment.words), row.summary)))
        left = f"{segment.number:>6}  {_seconds(row):>11.6f}  {segment.flow.number:>4}  {addresses:<{self._width}}"
        return f"{left}  {segment.kind.value:<5}  {length:>6}  {said}".rstrip()
