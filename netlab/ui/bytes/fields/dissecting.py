"""Runs a topic's dissector over the stream up to the segment that is shown, so that messages are whole.

Pure: the inspector decides in which thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from netlab.capture.model import Direction, Segment, Transport
from netlab.capture.stream import Chunk
from netlab.capture.view import CapturedSegments
from netlab.dissect.fields import Dissection, Dissector
from netlab.dissect.reading.clipping import within
from netlab.dissect.reading.flow_reader import FlowReader
from netlab.ui.bytes.byte_source import StreamSource

JOINED = 1 << 20
"""At most this many bytes of a stream are joined and dissected; beyond them a segment is dissected alone."""
_AT_ONCE, _CHUNKS = 1 << 15, 200
"""Bytes and chunks that can be joined and dissected within about 2 ms."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Bytes to dissect, and the part of them that is shown: ``length`` bytes after the first ``shift``."""

    view: memoryview
    direction: Direction
    offset: int
    shift: int
    length: int
    further: int = 0
    """Bytes that have already arrived after these in the same stream."""
    place: int | None = None
    """Where the shown bytes begin in their stream, as a `FlowReader` counts; None if they belong to none."""


def leading(segment: Segment, capture: CapturedSegments | None) -> StreamSource | None:
    """The stream up to a segment; None if there is none or it is too long to join."""
    end = segment.offset + len(segment.data)
    if capture is None or segment.flow.transport is Transport.UDP:
        return None
    if not segment.offset or not segment.data or end > JOINED:
        return None
    return StreamSource(capture.stream(segment.flow, segment.direction))


def is_long(segment: Segment, stream: StreamSource | None) -> bool:
    """Whether dissecting a segment, with the stream up to it, takes so long that keys would wait."""
    if stream is None:
        return len(segment.data) > _AT_ONCE
    return segment.offset + len(segment.data) > _AT_ONCE or stream.run_at(segment.offset) > _CHUNKS


def is_long_stream(source: StreamSource) -> bool:
    """The same for a whole stream."""
    return source.length > _AT_ONCE or source.run_at(_AT_ONCE) > _CHUNKS


def following(segment: Segment, capture: CapturedSegments | None) -> int:
    """How many bytes have arrived after a segment in its stream."""
    if capture is None or segment.flow.transport is Transport.UDP:
        return 0
    chunks = capture.stream(segment.flow, segment.direction)
    end = segment.offset + len(segment.data)
    return max(chunks[-1].offset + chunks[-1].length - end, 0) if chunks else 0


def segment_extent(
    segment: Segment, stream: StreamSource | None = None, further: int = 0, place: int | None = None
) -> Extent:
    """The stream from its start to the segment's end if it is complete, else the segment alone."""
    end = segment.offset + len(segment.data)
    alone = Extent(segment.data, segment.direction, segment.offset, 0, len(segment.data), further)
    if segment.flow.transport is Transport.UDP:
        return replace(alone, offset=0, place=place)
    if stream is None or stream.length < end or stream.gaps(0, end):
        return replace(alone, place=place)
    return Extent(stream.view(0, end), segment.direction, 0, segment.offset, len(segment.data), further, place)


def stream_extent(source: StreamSource, direction: Direction) -> Extent:
    """The beginning of a stream, up to the limit or the first gap."""
    view = _beginning(source)
    return Extent(view, direction, 0, 0, len(view), place=0)


def joined(chunks: Sequence[Chunk]) -> memoryview:
    """The same for a stream's chunks."""
    return _beginning(StreamSource(chunks))


def _beginning(source: StreamSource) -> memoryview:
    gaps = source.gaps(0, JOINED)
    return source.view(0, gaps[0][0] if gaps else min(source.length, JOINED))


Reads = Dissector | FlowReader
"""Who reads some bytes: alone, or along their flow."""


def dissect(extent: Extent, reads: Reads) -> Dissection:
    """The fields that overlap the shown bytes, with offsets in them. If the dissector raises, there are none."""
    if isinstance(reads, FlowReader):
        return _along_flow(extent, reads)
    try:
        found = reads(extent.view, extent.direction, extent.offset)
    except Exception as error:  # noqa: BLE001 - a dissector of an installed package may raise anything
        return Dissection((), problem=f"the dissector failed: {type(error).__name__}: {error}")
    fields = within(found.fields, -extent.shift, extent.length)
    return replace(found, fields=fields, later=extent.further)


def _along_flow(extent: Extent, reader: FlowReader) -> Dissection:
    if extent.place is None:
        return reader.alone(extent.direction, extent.view[extent.shift : extent.shift + extent.length])
    found = reader.at(extent.direction, extent.place, extent.place + extent.length)
    return replace(found, later=extent.further)
