"""One connection to Redis: commands, also inline ones, and replies; long aggregates are read element by element."""

from __future__ import annotations

from dataclasses import replace

from netlab.capture.model import Direction
from netlab.dissect.field_reader import FieldReader, Short
from netlab.dissect.fields import Field
from netlab.dissect.flow import Run
from netlab.dissect.framed.framed_flow import LONG, FramedFlow, FramedMessage, NoMessage
from netlab.dissect.redis.resp_values import (
    AGGREGATES,
    TYPES,
    Progress,
    Value,
    read_head,
    read_value,
    shown,
    together,
)

_MANY, _MUCH = 64, 4096
"""An aggregate of which more values and bytes have come, but not all, is read element by element from then on."""
_MOST_OPEN = 64
_LONGEST_INLINE = 1 << 16


class RedisFlow(FramedFlow):
    """One connection."""

    def __init__(self) -> None:
        super().__init__()
        self._open: dict[Direction, list[int]] = {way: [] for way in Direction}
        """How many elements are still to come of the aggregates that are read element by element."""

    def read(self, reader: FieldReader, run: Run) -> FramedMessage:
        """A command or a reply, or an element of a long one."""
        inside = bool(self._open[run.direction])
        start, progress = reader.at, Progress()
        if run.direction is Direction.TO_SERVER and not inside and _is_inline(reader):
            return _inline(reader)
        try:
            value = read_value(reader, progress)
        except Short as short:
            missing, here = short.missing, reader.end - start
            reader.at = start
            slow = progress.values > _MANY and here > _MUCH and missing * 8 < here
            if bytes(reader.data[start : start + 1]) in AGGREGATES and (slow or here + missing > LONG):
                return self._open_aggregate(reader, run)
            raise
        self._element_done(run.direction)
        if run.direction is Direction.TO_SERVER and not inside:
            return _command(value)
        name = "element" if inside else "error" if value.text.startswith("error ") else "reply"
        return FramedMessage(replace(value.field, name=name if value.kind != b">" else "push"), value.text)

    def _open_aggregate(self, reader: FieldReader, run: Run) -> FramedMessage:
        kind, count, start = read_head(reader)
        if len(self._open[run.direction]) >= _MOST_OPEN:
            raise NoMessage(f"values lie more than {_MOST_OPEN} deep")
        self._element_done(run.direction)
        self._open[run.direction].append(count * 2 if kind in b"%|" else count)
        words = f"{AGGREGATES[kind]} of {count:,}"
        return FramedMessage(Field(AGGREGATES[kind], start, reader.at, "count", f"{count:,}, read one by one"), words)

    def _element_done(self, direction: Direction) -> None:
        counts = self._open[direction]
        if counts:
            counts[-1] -= 1
        while counts and counts[-1] <= 0:
            counts.pop()

    def begun(self, reader: FieldReader, run: Run) -> str:
        """The name of the type."""
        kind = TYPES.get(bytes(reader.data[reader.at : reader.at + 1]), "line")
        return "command" if run.direction is Direction.TO_SERVER and kind == "array" else kind

    def pass_by(self, reader: FieldReader, run: Run, length: int) -> None:
        """A long string is an element, too."""
        super().pass_by(reader, run, length)
        self._element_done(run.direction)

    def miss(self, direction: Direction) -> None:
        """Elements are no longer counted."""
        super().miss(direction)
        self._open[direction] = []


def _is_inline(reader: FieldReader) -> bool:
    return bytes(reader.data[reader.at : reader.at + 1]) not in TYPES


def _inline(reader: FieldReader) -> FramedMessage:
    """A command as a person types it: words up to the end of the line."""
    start, window = reader.at, bytes(reader.data[reader.at : min(reader.end, reader.at + _LONGEST_INLINE)])
    end = window.find(b"\n")
    line = window[: end if end >= 0 else len(window)].removesuffix(b"\r")
    if any(byte < 32 and byte != 9 for byte in line[:_MUCH]) or (end < 0 and len(window) >= _LONGEST_INLINE):
        raise NoMessage("this is neither a Redis command nor a line of text")
    if end < 0:
        raise Short(1)
    reader.skip(end + 1)
    text = shown(line, plain=True)
    return FramedMessage(Field("inline command", start, reader.at, "text", text), text)


def _command(value: Value) -> FramedMessage:
    """An array of strings is a command: its words."""
    if value.kind != b"*" or not value.elements:
        return FramedMessage(value.field, value.text)
    words = together([element.text for element in value.elements], value.count, " ")
    children = value.field.children
    named = [replace(child, name=f"argument {number}") for number, child in enumerate(children[2:], 1)]
    fields = (children[0], replace(children[1], name="name"), *named)
    if value.count > len(value.elements):
        fields = (*fields[:-1], children[-1])
    return FramedMessage(Field("command", value.field.start, value.field.end, "command", words, fields), words)
