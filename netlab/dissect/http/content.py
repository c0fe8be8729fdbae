"""What a body holds: put together from its chunks, unpacked, and read by who knows what it is."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import replace

from netlab.dissect.documents.by_type import read_by_type
from netlab.dissect.documents.document import Content, ContentReader
from netlab.dissect.fields import Derived, Field
from netlab.dissect.http.body import described
from netlab.dissect.http.message import HttpMessage
from netlab.dissect.reading.unpacking import unpack

MOST_JOINED = 1 << 20
"""Bytes of a chunked body that are put together to be read as a whole."""


def show_content(message: HttpMessage, content: ContentReader | None) -> None:
    """Let a reader of bodies look at what has arrived, by default that of its type, and take its fields."""
    size = sum(end - start for start, end in message.pieces)
    body = message.fields[-1]
    if message.status and body.name == "body":
        message.summary = f"{message.title} · {size and size + message.needs} bytes"  # as announced, once it has begun
    if not size or body.name != "body":
        return
    joined, where = _joined(message)
    codings = message.values("content-encoding")
    if codings:
        message.fields[-1] = _with_unpacked(message, body, joined, ", ".join(codings), content)
        return
    found = _read(message, joined, where, content)
    children = (*found.fields, *body.children)
    if len(message.pieces) > 1:
        whole = Derived("body", bytes(joined), body.end - body.start)
        children = (*children, _derived(message, "put together", whole))
    message.fields[-1] = replace(body, children=children)
    _say(message, found)


def _derived(message: HttpMessage, name: str, buffer: Derived) -> Field:
    kind, value, children = described(message, memoryview(buffer.data), 0, len(buffer.data))
    return Field(name, 0, len(buffer.data), kind, value, children, buffer=buffer)


def _with_unpacked(
    message: HttpMessage, body: Field, joined: memoryview, coding: str, content: ContentReader | None
) -> Field:
    """The body, with what it is once unpacked, as far as it has come."""
    unpacked = unpack(joined, coding, whole=message.whole)
    if unpacked is None:
        return replace(body, value=f"{body.value} ({coding[:40]} is not unpacked)")
    message.problem = message.problem or unpacked.problem
    if not unpacked.data:
        return body
    buffer = Derived("unpacked body", unpacked.data, len(joined))
    field = _derived(message, "unpacked", buffer)
    found = _read(message, memoryview(buffer.data), lambda at: at, content)
    _say(message, found)
    return replace(body, children=(*body.children, replace(field, children=found.fields or field.children)))


def _read(
    message: HttpMessage, body: memoryview, where: Callable[[int], int], content: ContentReader | None
) -> Content:
    if content is not None:
        return content(body, where)
    kind = (message.values("content-type")[:1] or [""])[0]
    return read_by_type(kind, body, where, brief=message.brief)


def _say(message: HttpMessage, found: Content) -> None:
    message.summary = found.summary or message.summary
    message.problem = message.problem or (found.problem if message.whole else "")


def _joined(message: HttpMessage) -> tuple[memoryview, Callable[[int], int]]:
    """The body without the sizes of chunks, and a function from its positions to those in the stream."""
    if len(message.pieces) == 1:
        start, end = message.pieces[0]
        return message.data[start:end], lambda at: start + at
    joined, starts, places = bytearray(), list[int](), list[int]()
    for start, end in message.pieces:
        if len(joined) < MOST_JOINED:
            starts.append(len(joined))
            places.append(start)
            joined += message.data[start : min(end, start + MOST_JOINED)]
    return memoryview(bytes(joined)), lambda at: _place(at, starts, places)


def _place(at: int, starts: list[int], places: list[int]) -> int:
    piece = max(bisect_right(starts, at) - 1, 0)
    return places[piece] + at - starts[piece]
