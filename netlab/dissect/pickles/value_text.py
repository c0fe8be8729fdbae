"""The values of a pickle as Python text, bounded in length and depth; what is cut ends with "…"."""

from __future__ import annotations

import re
from codecs import escape_decode, getincrementaldecoder
from collections.abc import Iterable, Iterator
from contextlib import suppress

from netlab.dissect.pickles.pickle_values import Cell, Items, Made, Name, Outside, Pairs, Plain, Spelt, Value

MOST_DEPTH = 24
MARK_TEXT = "mark"
CUT = "…"
_LONGEST_NUMBER = 64
"""Bytes of a number that are turned into decimal digits: that takes time that grows with their square."""
_BRACKETS = {"list": ("[", "]"), "tuple": ("(", ")"), "set": ("{", "}"), "frozenset": ("frozenset({", "})")}
_CUT_ESCAPE = re.compile(r"\\[^\\]?[0-9a-fA-F]{0,8}\Z")
_ALWAYS = 1 << 62


def text_of(value: Value, room: int, until: int = _ALWAYS) -> str:
    """A value in at most ``room`` characters and "…".

    With ``until``, only what is there since that step: "…" stands for what comes later.
    """
    if isinstance(value, (Plain, Spelt)):  # most are
        return _clipped(repr(value.value) if isinstance(value, Plain) else _spelt(value, room), room)
    parts: list[str] = []
    for part in _parts(value, room, until, MOST_DEPTH):
        if len(part) > room:
            return "".join([*parts, _clipped(part, room)])
        room -= len(part)
        parts.append(part)
    return "".join(parts)


def _clipped(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[:room].rstrip(CUT)}{CUT}"


def last_of(texts: Iterable[str], room: int, between: str) -> str:
    """The last of some texts, which are given last first, as many as there is room for; "…" stands for the others."""
    shown: list[str] = []
    for text in texts:
        room -= len(text) + len(between)
        if shown and room < 0:
            shown.append(CUT)
            break
        shown.append(text)
    return between.join(reversed(shown))


def _parts(value: Value, room: int, until: int, depth: int) -> Iterator[str]:
    """A value's text in parts; of a leaf at most ``room`` characters are made."""
    if isinstance(value, Plain):
        yield repr(value.value)
    elif isinstance(value, Spelt):
        yield _spelt(value, room)
    elif isinstance(value, Name | Outside):
        yield value.text
    elif not isinstance(value, Items | Pairs | Made):
        yield MARK_TEXT
    elif not depth:
        yield CUT
    elif isinstance(value, Items):
        yield from _items(value, room, until, depth - 1)
    elif isinstance(value, Pairs):
        yield from _pairs(value, room, until, depth - 1)
    else:
        yield from _made(value, room, until, depth - 1)


def _items(value: Items, room: int, until: int, depth: int) -> Iterator[str]:
    begin, end = _BRACKETS[value.kind]
    if not value.items and value.kind.endswith("set"):
        yield f"{value.kind}()"
        return
    yield begin
    between = ""
    for cell in value.items:
        yield between
        yield from _cell(cell, room, until, depth)
        if cell.since > until:
            yield end
            return
        between = ", "
    yield f",{end}" if len(value.items) == 1 and value.kind == "tuple" else end


def _pairs(value: Pairs, room: int, until: int, depth: int) -> Iterator[str]:
    yield "{"
    between = ""
    for key, cell in value.items:
        yield between
        yield from _cell(key, room, until, depth)
        if key.since > until:
            break
        yield ": "
        yield from _cell(cell, room, until, depth)
        if cell.since > until:
            break
        between = ", "
    yield "}"


def _made(value: Made, room: int, until: int, depth: int) -> Iterator[str]:
    yield from _cell(value.function, room, until, depth)
    if value.arguments.since > until:
        yield f"({CUT})"
    elif value.keywords is None and isinstance(value.arguments.value, Items):
        parts = _items(value.arguments.value, room, until, depth)
        yield from (")" if part == ",)" else part for part in parts)
    else:
        yield "(*"
        yield from _cell(value.arguments, room, until, depth)
        if value.keywords is not None:
            yield ", **"
            yield from _cell(value.keywords, room, until, depth)
        yield ")"
    for what, cell in value.later:
        if cell.since <= until:
            yield f" with {what} "
            yield from _cell(cell, room, until, depth)


def _cell(cell: Cell, room: int, until: int, depth: int) -> Iterator[str]:
    return iter((CUT,)) if cell.since > until else _parts(cell.value, room, until, depth)


def _spelt(value: Spelt, room: int) -> str:
    """A leaf's text; the bytes that do not fit are not looked at."""
    if value.kind == "int":
        return _number(value, room)
    most = room * (10 if value.coding == "raw-unicode-escape" else 4)
    whole = len(value.data) <= most
    content = decoded(bytes(value.data[:most]), value.coding, whole=whole)
    if value.kind != "str" and isinstance(content, str):
        content = content.encode("latin-1", "backslashreplace")
    text = repr(bytearray(content)) if value.kind == "bytearray" and isinstance(content, bytes) else repr(content)
    return text if whole else text + CUT


def _number(value: Spelt, room: int) -> str:
    if value.coding == "digits":
        text = str(value.data[: room + 1], "ascii", "backslashreplace")
        return text if len(text) <= room else text[:room] + CUT
    if len(value.data) <= _LONGEST_NUMBER:
        return str(int.from_bytes(value.data, "little", signed=True))
    return f"<int of {len(value.data):,} bytes, 0x{CUT}{value.data[15::-1].hex()}>"


def decoded(data: bytes, coding: str, *, whole: bool = True) -> str | bytes:
    """What bytes spell; of a beginning that is not the ``whole``, without the character at which it was cut."""
    if coding == "raw":
        return data
    if coding == "utf-8":
        return _utf8(data, whole)
    text = data.decode("latin-1")
    data = data if whole else _CUT_ESCAPE.sub("", text).encode("latin-1")
    if coding == "raw-unicode-escape":
        return data.decode(coding, "backslashreplace")
    with suppress(ValueError):
        return _utf8(escape_decode(data)[0], whole)
    return text


def _utf8(data: bytes, whole: bool) -> str:
    with suppress(UnicodeDecodeError):
        return getincrementaldecoder("utf-8")("surrogatepass").decode(data, whole)
    return getincrementaldecoder("utf-8")("backslashreplace").decode(data, whole)
