"""What the inspector shows of a capture: a segment, what the wire did to it, or a whole stream.

An `Inspection` names the bytes that are shown, and what their fields are read from. It knows no widget, and reads
nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from netlab.capture.model import Direction, Kind, Segment
from netlab.capture.view import CapturedSegments
from netlab.dissect.export import count_of_bytes
from netlab.ui.bytes.byte_source import ByteSource, StreamSource, ViewSource
from netlab.ui.bytes.diff import Diff
from netlab.ui.bytes.fields.dissecting import (
    Extent,
    following,
    is_long,
    is_long_stream,
    leading,
    segment_extent,
    stream_extent,
)
from netlab.ui.bytes.spans import Spans


@dataclass(frozen=True, slots=True)
class Inspection:
    """The bytes to show, as they crossed the wire, and what to dissect of them."""

    source: ByteSource
    title: str
    name: str = "these bytes"
    chunks: bool = False
    marks: Spans | None = None
    remark: str = ""
    """A sentence about them, above their fields."""
    extent: Callable[[], Extent] | None = None
    """Returns what to dissect; None if there is nothing to dissect."""
    long: bool = False
    """Whether dissecting it takes so long that keys would wait."""


def inspect_segment(
    segment: Segment, capture: CapturedSegments | None, *, flooded: bool = False, place: int | None = None
) -> Inspection:
    """A segment, dissected with the stream up to it; alone if that is long and segments come in a flood.

    ``place`` is where it begins in its stream, if a `FlowReader` reads that.
    """
    inspection = Inspection(ViewSource(segment.data), _title(segment), _name(segment))
    if not segment.data:
        return inspection
    stream = leading(segment, capture)
    if flooded and is_long(segment, stream):
        stream = None
    extent = partial(segment_extent, segment, stream, following(segment, capture), place)
    return replace(inspection, extent=extent, long=is_long(segment, stream))


def inspect_dropped(segment: Segment, dropped: memoryview) -> Inspection:
    """A segment that the wire dropped."""
    title = f"bytes ── {_name(segment)} {count_of_bytes(len(dropped))}, dropped by the wire"
    return _alone(segment, dropped, title)


def inspect_changed(segment: Segment, change: Diff, entered: bool) -> Inspection:
    """A segment that the wire changed, as it entered the wire or as it left."""
    seen = change.entered if entered else change.left
    inspection = _alone(segment, seen, f"bytes ── {_name(segment)} {change.title(entered)}")
    return replace(inspection, marks=change.marks(entered), remark=change.remark)


def inspect_stream(segment: Segment, capture: CapturedSegments, direction: Direction) -> Inspection:
    """One direction of the segment's flow, from the start."""
    source = StreamSource(capture.stream(segment.flow, direction))
    name = f"stream {segment.flow.number} {direction.value}"
    title = f"{name} ── {count_of_bytes(source.length)}, chunk marks │"
    extent = partial(stream_extent, source, direction)
    return Inspection(source, title, name, chunks=True, extent=extent, long=is_long_stream(source))


def _alone(segment: Segment, data: memoryview, title: str) -> Inspection:
    """Bytes of a segment that are not part of its stream."""
    shown = replace(segment, data=data)
    return Inspection(ViewSource(data), title, extent=partial(segment_extent, shown), long=is_long(shown, None))


def _name(segment: Segment) -> str:
    return f"#{segment.number} {segment.direction.value}"


def _title(segment: Segment) -> str:
    """What the bytes are, and that they were not copied. A segment without a number has not crossed yet."""
    if not segment.number:
        return f"bytes ── held {segment.direction.value} {count_of_bytes(segment.length)}, not delivered yet"
    if segment.kind is not Kind.DATA and not segment.data:
        flow = segment.flow
        return f"bytes ── #{segment.number} {segment.kind.value}, flow {flow.number} of {flow.client} to {flow.server}"
    kept = f", {count_of_bytes(len(segment.data))} kept" if len(segment.data) < segment.length else ""
    held = f"joined from {segment.fragments} IP fragments" if segment.fragments else "memoryview, 0 copies"
    return f"bytes ── {_name(segment)} {count_of_bytes(segment.length)}{kept}, {held}"
