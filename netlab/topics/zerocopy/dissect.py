"""Frames: a type, a length, and the payload."""

from __future__ import annotations

from netlab.capture.model import Direction
from netlab.dissect.field_reader import FieldReader, Short
from netlab.dissect.fields import Dissection, Field

HEADER = 5
MOST_FRAMES = 4096
TYPES = {
    (1, Direction.TO_SERVER): "store",
    (2, Direction.TO_CLIENT): "digest",
    (3, Direction.TO_SERVER): "fetch",
    (4, Direction.TO_CLIENT): "content",
}

LENGTHS = {2: 32, 3: 8}
"""Of the types whose length is fixed."""


def dissect(data: memoryview, direction: Direction, offset: int = 0) -> Dissection:
    """The frames of one direction. An ``offset`` may lie within a payload: then only a sure header counts."""
    if offset and not _surely_begins(data, direction):
        return Dissection((), "payload", problem="these bytes begin within a frame: follow the stream to see it whole")
    reader = FieldReader(data)
    frames: list[Field] = []
    while reader.left and len(frames) < MOST_FRAMES:
        start = reader.at
        try:
            frame, needs = _frame(reader, direction)
        except Short as short:
            partial = Field("header", start, len(data), "header", f"waits for {short.missing} bytes")
            return Dissection((*frames, partial), _summary(frames), short.missing)
        if frame is None:
            kind = data[start]
            raw = Field("raw", start, len(data), "bytes", data[start : start + 32].hex())
            return Dissection(
                (*frames, raw), _summary(frames), problem=f"no frame goes {direction.value} with type {kind}"
            )
        frames.append(frame)
        if needs:
            return Dissection(tuple(frames), _summary(frames), needs)
    problem = f"only the first {MOST_FRAMES:,} frames are read" if reader.left else ""
    return Dissection(tuple(frames), _summary(frames), problem=problem)


def _surely_begins(data: memoryview, direction: Direction) -> bool:
    """Whether these bytes are a header alone, one with its whole payload, or one whose length is fixed."""
    if len(data) < HEADER or (data[0], direction) not in TYPES:
        return False
    length = int.from_bytes(data[1:HEADER], "big")
    return LENGTHS.get(data[0], length) == length and (data[0] in LENGTHS or len(data) in (HEADER, HEADER + length))


def _frame(reader: FieldReader, direction: Direction) -> tuple[Field | None, int]:
    """The next frame, and how many bytes of it are still missing."""
    start = reader.at
    kind = reader.number(1)
    if (kind, direction) not in TYPES:
        return None, 0
    length = reader.number(4)
    name = TYPES[kind, direction]
    header = (
        Field("type", start, start + 1, "u8", f"{kind} {name}"),
        Field("length", start + 1, start + HEADER, "u32", f"{length:,}"),
    )
    here = min(length, reader.left)
    payload = reader.part(here)
    body = _payload(payload, kind, length)
    value = f"asks for {body.value}" if body.name == "wanted" else f"{length:,} bytes"
    return Field(name, start, reader.at, "frame", value, (*header, body)), length - here


def _payload(payload: FieldReader, kind: int, length: int) -> Field:
    if payload.left < length:
        return payload.rest("payload", value=f"{payload.left:,} of {length:,} bytes")
    if kind == 3 and length == 8:
        wanted = int.from_bytes(payload.data[payload.at : payload.end], "big")
        return payload.rest("wanted", "u64", f"{wanted:,} bytes")
    return payload.rest("SHA-256" if kind == 2 and length == 32 else "payload")


def _summary(frames: list[Field]) -> str:
    if not frames:
        return ""
    more = f" and {len(frames) - 1:,} more" if len(frames) > 1 else ""
    return f"{frames[0].name} {frames[0].value}{more}"
