"""What an encrypted flow says within its records: a flow of its own, whose protocol shows in its first bytes.

It knows no encryption: it is given the opened records of both directions. It knows no widget.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from netlab.capture.model import Direction, Flow
from netlab.capture.stream import Chunk
from netlab.dissect.decrypted_record import Opened
from netlab.dissect.fields import Derived, Field
from netlab.dissect.reading.flow_reader import FlowReader
from netlab.dissect.reading.meanings import plain
from netlab.dissect.reading.protocol_discovery import protocols
from netlab.dissect.reading.recognition import opening_of, recognise

NAME = "decrypted"


@dataclass(frozen=True, slots=True)
class _ApplicationBytes:
    """The application's bytes of one direction: one chunk a record, and the records."""

    chunks: list[Chunk]
    records: list[Opened]


def decrypted(
    flow: Flow,
    way: Direction,
    records: Mapping[Direction, Sequence[Opened]],
    crossed: Mapping[Direction, Sequence[Chunk]],
    start: int,
    end: int,
) -> Field | None:
    """What the records that overlap ``start`` to ``end`` of a stream say, as a field in a derived buffer of its own.

    ``crossed`` are the chunks that carried the records. None if no record there carries the application's bytes.
    """
    carried = {each: _application_bytes(records.get(each, ()), crossed[each]) for each in Direction}
    mine = carried[way]
    seen = [i for i, record in enumerate(mine.records) if record.start < end and record.end > start]
    if not seen:
        return None
    begin, last = mine.chunks[seen[0]].offset, mine.chunks[seen[-1]]
    data = b"".join(mine.records[i].plaintext for i in seen)
    buffer = Derived(NAME, data, sum(mine.records[i].end - mine.records[i].start for i in seen))
    streams = {each: carried[each].chunks for each in Direction}
    protocol = recognise(opening_of(flow, streams), protocols()).protocol or plain()
    found = FlowReader(protocol.make, streams).at(way, begin, last.offset + last.length)
    children = tuple(_clipped(found.fields, len(buffer.data)))
    value = " ── ".join(filter(None, (found.summary, found.problem)))
    return Field(NAME, 0, len(buffer.data), protocol.title, value, children, layer=True, buffer=buffer)


def _application_bytes(records: Iterable[Opened], crossed: Sequence[Chunk]) -> _ApplicationBytes:
    carried = _ApplicationBytes([], [])
    at = 0
    for record in records:
        if record.words or not record.plaintext:  # the protocol's own: a handshake, an alert
            continue
        number = _segment_at(crossed, record.end - 1)
        carried.chunks.append(Chunk(at, len(record.plaintext), memoryview(record.plaintext), number))
        carried.records.append(record)
        at += len(record.plaintext)
    return carried


def _segment_at(crossed: Sequence[Chunk], position: int) -> int:
    """The segment that brought a byte of a stream."""
    index = bisect_right(crossed, position, key=lambda chunk: chunk.offset) - 1
    return crossed[index].segment if 0 <= index < len(crossed) else 0


def _clipped(fields: Iterable[Field], length: int) -> Iterable[Field]:
    """The fields within the buffer: a message may begin before its first byte."""
    for field in fields:
        if field.buffer is not None:
            yield field
        elif field.start < length or not length:
            start, end = min(max(field.start, 0), length), min(max(field.end, 0), length)
            yield replace(field, start=start, end=end, children=tuple(_clipped(field.children, length)))
