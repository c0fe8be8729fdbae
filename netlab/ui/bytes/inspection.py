"""What of a capture the inspector shows and how it is drawn: a segment, what the wire did to it, or a whole stream.

A `Face` says which bytes are shown and from what their fields are read; it knows no widget, and reads nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from netlab.capture.model import Direction, Kind, Segment
from netlab.capture.view import CapturedSegments
from netlab.dissect.export import count_of_bytes
from netlab.ui.bytes.byte_source import ByteSource, StreamSource, ViewSource
from netlab.ui.bytes.diff import Change
from netlab.ui.bytes.dissecting import (
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
class Face:
    """How the shown bytes are drawn, without the plaintext, and what is to be understood of them."""

    source: ByteSource
    title: str
    name: str = "these bytes"
    chunks: bool = False
    marks: Spans | None = None
    remark: str = ""
    """A sentence about them, above their fields."""
    extent: Callable[[], Extent] | None = None
    """Gives what is dissected; None where there is nothing to read."""
    long: bool = False
    """Whether it takes so long to be read that keys would wait for it."""


def segment_face(segment: Segment, capture: CapturedSegments | None, *, hurried: bool = False) -> Face:
    """A segment, read together with the stream that leads to it, unless that is long and one is ``hurried``."""
    face = Face(ViewSource(segment.data), _title(segment), _name(segment))
    if not segment.data:
        return face
    stream = leading(segment, capture)
    if hurried and is_long(segment, stream):
        stream = None
    extent = partial(segment_extent, segment, stream, following(segment, capture))
    return replace(face, extent=extent, long=is_long(segment, stream))


def dropped_face(segment: Segment, dropped: memoryview) -> Face:
    """A segment that went no further."""
    title = f"bytes ── {_name(segment)} {count_of_bytes(len(dropped))} that did not leave the wire"
    return _alone(segment, dropped, title)


def changed_face(segment: Segment, change: Change, entered: bool) -> Face:
    """A segment that the wire changed, as it entered the wire or as it left."""
    seen = change.entered if entered else change.left
    face = _alone(segment, seen, f"bytes ── {_name(segment)} {change.title(entered)}")
    return replace(face, marks=change.marks(entered), remark=change.remark)


def stream_face(segment: Segment, capture: CapturedSegments, direction: Direction) -> Face:
    """One direction of the segment's flow, from its beginning."""
    source = StreamSource(capture.stream(segment.flow, direction))
    name = f"stream {segment.flow.number} {direction.value}"
    title = f"{name} ── {count_of_bytes(source.length)}, chunk marks │"
    extent = partial(stream_extent, source, direction)
    return Face(source, title, name, chunks=True, extent=extent, long=is_long_stream(source))


def _alone(segment: Segment, data: memoryview, title: str) -> Face:
    """Bytes of a segment that its stream does not have."""
    shown = replace(segment, data=data)
    return Face(ViewSource(data), title, extent=partial(segment_extent, shown), long=is_long(shown, None))


def _name(segment: Segment) -> str:
    return f"#{segment.number} {segment.direction.value}"


def _title(segment: Segment) -> str:
    """What the bytes are, and that none was copied. What has no number has not crossed yet."""
    if not segment.number:
        return f"bytes ── held {segment.direction.value} {count_of_bytes(segment.length)}, not gone yet"
    if segment.kind is not Kind.DATA and not segment.data:
        return f"bytes ── #{segment.number} {segment.kind.value}, no bytes"
    kept = f", {count_of_bytes(len(segment.data))} kept" if len(segment.data) < segment.length else ""
    held = f"joined from {segment.fragments} IP fragments" if segment.fragments else "memoryview, 0 copies"
    return f"bytes ── {_name(segment)} {count_of_bytes(segment.length)}{kept}, {held}"
