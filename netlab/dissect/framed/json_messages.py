"""JSON in lines: each line a value, its members as fields down to a few levels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from json import JSONDecodeError, JSONDecoder
from typing import NamedTuple

from netlab.dissect.field_reader import FieldReader, Short
from netlab.dissect.fields import Field
from netlab.dissect.flow import Run
from netlab.dissect.framed.framed_flow import FramedFlow, FramedMessage, count_bytes

LONGEST_LINE = 1 << 18
"""Bytes of a line that is read; a longer one is shown as text."""
MOST_DEPTH = 3
MOST_MEMBERS = 100
SHOWN = 160
_FIRST = 256
_SPACE = re.compile(r"[ \t\n\r]*")


class _Json(NamedTuple):
    """What stands for a JSON value, which is checked but not kept."""

    text: str


_DECODER = JSONDecoder(parse_int=_Json, parse_float=_Json, parse_constant=_Json)
"""Numbers stay text: to convert a long one takes time that grows with its square."""


class JsonLinesFlow(FramedFlow):
    """One flow; each line explains itself."""

    def read(self, reader: FieldReader, run: Run) -> FramedMessage:
        """The next line."""
        start, end = reader.at, line_end(reader)
        if end is None:
            if reader.left > LONGEST_LINE:
                end = reader.end
            else:
                raise Short(1)
        line = reader.data[start:end]
        if len(line) > LONGEST_LINE:
            reader.skip(end - start)
            text = f"a line of {count_bytes(len(line))}, too long to read"
            return FramedMessage(Field("line", start, end, "text", text), text)
        text = str(line, "latin-1")  # so that a place in the text is one in the bytes
        begin = _space(text, 0)
        if begin == len(text):
            reader.skip(end - start)
            return FramedMessage(Field("empty line", start, end, "text", ""), "")
        reader.skip(end - start)
        try:
            stop = _value_end(text, begin)
            if _space(text, stop) != len(text):
                raise ValueError(f"something follows the value, at byte {stop}")
            children = tuple(_members(text, begin, stop, start, 1))
        except ValueError as problem:
            shown = f"{_shown(text.strip())} (not JSON: {problem})"
            return FramedMessage(Field("line", start, end, "text", shown), shown)
        shown = _shown(text[begin:stop])
        return FramedMessage(Field("line", start, end, _kind(text[begin]), shown, children), shown)

    def begun(self, reader: FieldReader, run: Run) -> str:
        """A line."""
        return "line"

    def waits_for(self, missing: int) -> str:
        """How long it is shows only at its end."""
        return "waits for the end of the line"


def line_end(reader: FieldReader) -> int | None:
    """Where the line ends, behind its newline; None if that has not come."""
    at, size = reader.at, _FIRST
    while at < reader.end:
        found = bytes(reader.data[at : min(at + size, reader.end)]).find(b"\n")
        if found >= 0:
            return at + found + 1
        at, size = at + size, size * 4
    return None


def _space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match is not None else at


def _value_end(text: str, at: int) -> int:
    """Where the JSON value that begins here ends. Raises `ValueError` if there is none."""
    try:
        return _DECODER.raw_decode(text, at)[1]
    except JSONDecodeError as error:
        raise ValueError(f"an error at byte {error.pos}") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _members(text: str, start: int, stop: int, by: int, depth: int) -> Iterator[Field]:
    """The members of an object or the elements of an array, which is known to be right."""
    if text[start] not in "{[" or depth > MOST_DEPTH:
        return
    named = text[start] == "{"
    at, count = _space(text, start + 1), 0
    while at < stop - 1 and count < MOST_MEMBERS:
        begin, name = at, f"[{count}]"
        if named:
            at = _value_end(text, at)
            name = _shown(text[begin + 1 : at - 1])
            at = _space(text, _space(text, at) + 1)
        end = _value_end(text, at)
        inner = tuple(_members(text, at, end, by, depth + 1))
        yield Field(name, begin + by, end + by, _kind(text[at]), _shown(text[at:end]), inner)
        count += 1
        at = _space(text, _space(text, end) + 1)
    if at < stop - 1:
        yield Field("more", at + by, stop - 1 + by, "bytes", count_bytes(stop - 1 - at))


def _kind(first: str) -> str:
    return {"{": "object", "[": "array", '"': "string", "t": "boolean", "f": "boolean", "n": "null"}.get(
        first, "number"
    )


def _shown(latin: str) -> str:
    """A part of the line, as the UTF-8 that it is; shortened."""
    text = latin[: 4 * SHOWN].encode("latin-1").decode("utf-8", "replace")
    short = text[:SHOWN]
    return short + (f"… ({count_bytes(len(latin))})" if len(text) > SHOWN or len(latin) > 4 * SHOWN else "")
