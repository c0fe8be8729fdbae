"""Values as Redis writes them (RESP2 and RESP3): one that is complete, with all that lies in it, as a field."""

from __future__ import annotations

import re
from dataclasses import dataclass

from netlab.dissect.field_reader import FieldReader, Short
from netlab.dissect.fields import Field
from netlab.dissect.framed.framed_flow import NoMessage

LONGEST_LINE = 1 << 16
MOST_DEPTH = 32
MOST_CHILDREN = 100
"""Elements of an aggregate that are listed; the others are counted."""
SHOWN = 60
"""Characters of a string that are shown …"""
SHOWN_TOGETHER = 200
"""… and of a whole value."""
BULKS = {b"$": "bulk string", b"=": "verbatim string", b"!": "bulk error"}
AGGREGATES = {b"*": "array", b"%": "map", b"~": "set", b">": "push", b"|": "attributes"}
_LINES = {
    b"+": "string",
    b"-": "error",
    b":": "integer",
    b"_": "null",
    b"#": "boolean",
    b",": "double",
    b"(": "big number",
}
TYPES = {**BULKS, **AGGREGATES, **_LINES}
_LENGTH = re.compile(rb"-?[0-9]{1,18}")
_FITS = {
    b":": re.compile(rb"[+-]?[0-9]{1,20}"),
    b"_": re.compile(rb""),
    b"#": re.compile(rb"[tf]"),
    b",": re.compile(rb"[+-]?(?:inf|[0-9.]{1,40}(?:[eE][+-]?[0-9]{1,5})?)|-?nan"),
    b"(": re.compile(rb"[+-]?[0-9]+"),
}
_BOOLEANS = {"t": "true", "f": "false"}


@dataclass(slots=True)
class Progress:
    """What has been read of a value that may not be complete: ``values`` of them, to bound what is read again."""

    values: int = 0


@dataclass(slots=True)
class Value:
    """A value: its field, what it reads like in a line, and the elements that are listed."""

    field: Field
    text: str
    kind: bytes
    elements: tuple[Value, ...] = ()
    count: int = 0


def read_line(reader: FieldReader, most: int) -> bytes:
    """The line up to CRLF, of at most so many bytes; the reader stands behind it then."""
    size, start = 64, reader.at
    while True:
        window = bytes(reader.data[start : min(start + size, reader.end)])
        if (at := window.find(b"\r\n")) >= 0:
            reader.at = start + at + 2
            return window[:at]
        if len(window) > most + 1:
            raise NoMessage("a line does not end")
        if len(window) < size:
            raise Short(1 if window.endswith(b"\r") else 2)
        size *= 4


def read_head(reader: FieldReader) -> tuple[bytes, int, int]:
    """Type, count or length, and start, of a string or aggregate."""
    start = reader.skip(1)
    kind = bytes(reader.data[start : start + 1])
    line = read_line(reader, 20)
    if not _LENGTH.fullmatch(line) or int(line) < -1:
        raise NoMessage(f"the length of a Redis {TYPES[kind]} is not a number")
    return kind, int(line), start


def read_value(reader: FieldReader, progress: Progress, depth: int = 0) -> Value:
    """The value at the reader's place. `Short` says how many bytes it waits for, at the least."""
    kind = bytes(reader.data[reader.at : reader.at + 1])
    if kind not in TYPES:
        if not kind:
            raise Short(3)
        raise NoMessage(f"no Redis value begins with {kind!r}")
    if depth > MOST_DEPTH:
        raise NoMessage(f"values lie more than {MOST_DEPTH} deep")
    progress.values += 1
    if kind in AGGREGATES:
        return _read_aggregate(reader, progress, depth)
    return _read_bulk(reader) if kind in BULKS else _read_simple(reader, kind)


def _read_simple(reader: FieldReader, kind: bytes) -> Value:
    start = reader.skip(1)
    line = read_line(reader, LONGEST_LINE)
    if kind in _FITS and not _FITS[kind].fullmatch(line):
        raise NoMessage(f"this is not a Redis {TYPES[kind]}")
    text = {b"_": "null", b"#": _BOOLEANS.get(line.decode("latin-1"), "")}.get(kind) or shown(line, plain=True)
    said = f"error {text}" if kind == b"-" else text
    return Value(Field(TYPES[kind], start, reader.at, TYPES[kind], text), said, kind)


def _read_bulk(reader: FieldReader) -> Value:
    kind, length, start = read_head(reader)
    if length < 0:
        return Value(Field("null", start, reader.at, "null", "null"), "null", kind)
    body = reader.at
    reader.skip(length + 2)
    if bytes(reader.data[body + length : reader.at]) != b"\r\n":
        raise NoMessage(f"a Redis {BULKS[kind]} does not end where its length says")
    raw = bytes(reader.data[body : body + min(length, 4 * SHOWN)])
    text = shown(raw, length)
    children = (
        Field("length", start, body, "length", f"{length:,}"),
        Field("text", body, body + length, "text", text),
    )
    said = f"error {shown(raw, length, plain=True)}" if kind == b"!" else text
    return Value(Field(BULKS[kind], start, reader.at, BULKS[kind], text, children), said, kind)


def _read_aggregate(reader: FieldReader, progress: Progress, depth: int) -> Value:
    kind, count, start = read_head(reader)
    name = AGGREGATES[kind]
    if count < 0:
        return Value(Field("null", start, reader.at, "null", "null"), "null", kind)
    head = Field("count", start, reader.at, "count", f"{count:,}")
    total = count * 2 if kind in b"%|" else count
    elements = list[Value]()
    for index in range(total):
        try:
            value = read_value(reader, progress, depth + 1)
        except Short as short:
            raise Short(short.missing + 3 * (total - index - 1)) from None  # null is the shortest
        if index < MOST_CHILDREN:
            elements.append(value)
    text = _in_brackets(kind, elements, total)
    fields = [head, *(value.field for value in elements)]
    if total > len(elements):
        fields.append(Field("more", fields[-1].end, reader.at, "bytes", f"{total - len(elements):,} more values"))
    return Value(Field(name, start, reader.at, name, text, tuple(fields)), text, kind, tuple(elements), total)


def _in_brackets(kind: bytes, elements: list[Value], total: int) -> str:
    if kind in b"%|":
        keys, values = elements[::2], elements[1::2]
        parts = [f"{key.text}: {value.text}" for key, value in zip(keys, values, strict=False)]
        return "{" + together(parts, (total + 1) // 2, ", ") + "}"
    inner = together([value.text for value in elements], total, " " if kind == b">" else ", ")
    return f"push {inner}" if kind == b">" else f"[{inner}]"


def together(parts: list[str], total: int, between: str) -> str:
    """The first parts, as far as a line has room, and how many there are if those are not all."""
    kept, size = list[str](), 0
    for part in parts:
        size += len(part) + len(between)
        if kept and size > SHOWN_TOGETHER:
            break
        kept.append(part)
    more = f"{between}… ({total:,} in all)" if len(kept) < total else ""
    return between.join(kept) + more


def shown(raw: bytes, length: int | None = None, *, plain: bool = False) -> str:
    """A string as it is, or quoted if it would not read as one word; shortened."""
    length = len(raw) if length is None else length
    text = raw[: 4 * SHOWN].decode("utf-8", "backslashreplace")
    more = f"… ({length:,} bytes)" if len(text) > SHOWN or length > 4 * SHOWN else ""
    text = text[:SHOWN]
    if not plain and (not text.isprintable() or not text or " " in text or '"' in text):
        text = '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "\\r").replace("\n", "\\n") + '"'
    return text + more
