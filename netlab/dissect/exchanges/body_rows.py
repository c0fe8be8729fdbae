"""A body as rows of a picture, as what it is: form fields, parts, a call, XML, JSON, text, or bytes; and its chunks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from netlab.dissect.documents.document_lines import json_lines, xml_lines
from netlab.dissect.documents.xml_tree import read_xml_tree
from netlab.dissect.exchanges.http_exchanges import Sent
from netlab.dissect.exchanges.whole_body import WholeBody, body_of
from netlab.dissect.fields import Field
from netlab.dissect.framed.framed_flow import count_bytes
from netlab.dissect.http.values import count
from netlab.dissect.picture import Row, Tone

MOST_LINES = 60
"""Lines of a body that are shown, and chunks …"""
MOST_PARTS = 20
"""… and parts of a long one."""
_LONGEST = 500
"""Characters of a line."""
_MOST_TEXT = 1 << 14
_MOST_CALL = 1 << 15
_ROW = 16
_TEXTS = ("text/", "application/javascript", "application/xml", "application/json")
_CHARSET = re.compile(r'charset="?([\w-]{1,40})', re.IGNORECASE)
_CHARSETS = {"utf-8", "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252", "utf-16"}
"""Encodings that are read in time that grows with the bytes; what is in another is read as UTF-8."""
_PROBLEMS = ("malformed", "not read")
Segments = Callable[[int], int]
"""The number of the segment that brought the byte at a place of the message."""


def body_row(sent: Sent, segments: Segments) -> Row | None:
    """The body of a message, folded; None if it has none."""
    arrow = sent.message.direction.value
    if sent.parts:
        rows = tuple(Row(part.field.value, part.first) for part in sent.parts[:MOST_PARTS])
        more = sent.part_count - len(rows)
        rows += (Row(f"… {more:,} more parts", tone=Tone.QUIET),) if more > 0 else ()
        return Row(f"{arrow} body: {size_in_words(sent)}", sent.parts[0].first, rows)
    body = body_of(sent)
    if body is None:
        return None
    segment = segments(body.field.start)
    rows = (*body_lines(body, sent.header("content-type"), segment), *_chunks(body, segments))
    return Row(f"{arrow} body: {size_in_words(sent)}", segment, rows)


def size_in_words(sent: Sent) -> str:
    """``JSON, 46 bytes``: what the body of a message is, and how much; empty if it has none."""
    if sent.parts:
        parts = f"{count_bytes(sent.part_bytes)} in {sent.part_count:,} parts, too long to be put together"
        return ", ".join(filter(None, [_media_type(sent), parts]))
    body = body_of(sent)
    if body is None:
        return ""
    if body.chunks:
        size = body.field.value
    elif sent.whole or not sent.counted:
        size = count_bytes(body.crossed)
    else:
        size = f"{body.crossed:,} of {sent.header('content-length')} bytes"
    if body.unpacked:
        size += f" of {sent.header('content-encoding')}, unpacked {count_bytes(len(body.data))}"
    return ", ".join(filter(None, [_what(body) or _media_type(sent), size]))


def _media_type(sent: Sent) -> str:
    return sent.header("content-type").partition(";")[0].strip()


def _what(body: WholeBody) -> str:
    """What it is by what was found in it; empty if nothing was."""
    if body.call is not None:
        return "XML-RPC call" if body.call.name == "methodCall" else "XML-RPC response"
    kinds = {each.kind for each in body.fields if each.name not in _PROBLEMS}
    if "element" in kinds:
        return "XML"
    if any(each.name == "JSON" for each in body.fields):
        return "JSON"
    if "parameter" in kinds:
        return f"form, {count([each for each in body.fields if each.kind == 'parameter'], 'field')}"
    if "part" in kinds:
        return f"multipart, {count([each for each in body.fields if each.kind == 'part'], 'part')}"
    return ""


def body_lines(body: WholeBody, media_type: str, segment: int) -> Iterator[Row]:
    """What a body says, row by row."""
    if body.call is not None:
        yield from _call(body, body.call, segment)
    elif shown := [line for each in body.fields if each.name not in _PROBLEMS for line in _field(each, segment)]:
        yield from _limited(shown, segment)
    elif body.data:
        lines = _text(body.data, media_type) if media_type.lower().startswith(_TEXTS) else _hex(body.data)
        yield from _limited((Row(line, segment) for line in lines), segment)
    for each in body.fields:
        if each.name in _PROBLEMS:
            yield Row(f"{each.name}: {each.value}", segment, tone=Tone.WRONG)


def _limited(rows: Iterable[Row], segment: int) -> Iterator[Row]:
    each = iter(rows)
    yield from islice(each, MOST_LINES)
    if next(each, None) is not None:
        yield Row("… more lines; the bytes pane shows all", segment, tone=Tone.QUIET)


def _field(field: Field, segment: int) -> Iterator[Row]:
    """A parameter, a part, an XML element, or a JSON value."""
    if field.kind == "parameter":
        yield Row(f"{field.name} = {field.value}", segment)
    elif field.kind == "part":
        inner = tuple(Row(f"{each.name}: {each.value}", segment) for each in field.children if each.name != "content")
        text = tuple(Row(line, segment) for line in islice(field.value.splitlines(), MOST_LINES))
        yield Row(f"{field.name} = {field.value}", segment, (*inner, *text))
    elif field.name == "DOCTYPE":
        yield Row(f"<!DOCTYPE {field.value}>", segment)
    else:
        lines = xml_lines(field) if field.kind == "element" else json_lines(field)
        yield from (Row(_cut(line), segment) for line in islice(lines, MOST_LINES + 1))


def _call(body: WholeBody, call: Field, segment: int) -> Iterator[Row]:
    """The method and its parameters, or the result, as Python values; then the XML that they are written in."""
    fault = next((each for each in call.children if each.kind == "fault"), None)
    values = [each for each in (fault or call).children if each.name != "method" or each.kind != "text"]
    yield Row(call.value, segment, tuple(_value(each, segment) for each in values[:MOST_LINES]))
    tree = read_xml_tree(body.data[:_MOST_CALL], lambda at: at).fields
    lines = [line for each in tree if each.kind == "element" for line in islice(xml_lines(each), MOST_LINES + 1)]
    rows = tuple(_limited((Row(_cut(line), segment) for line in lines), segment))
    yield Row(f"as XML: {count_bytes(len(body.data))}", segment, rows, Tone.QUIET)


def _value(value: Field, segment: int) -> Row:
    """A value with its type; those in it beneath."""
    inner = tuple(_value(each, segment) for each in value.children[:MOST_LINES])
    return Row(f"{value.name}: {value.value}  ({value.kind})", segment, inner)


def _text(data: memoryview, media_type: str) -> Iterator[str]:
    named = _CHARSET.search(media_type)
    charset = named[1].lower() if named is not None else "utf-8"
    text = bytes(data[:_MOST_TEXT]).decode(charset if charset in _CHARSETS else "utf-8", "replace")
    for line in text.splitlines():
        yield _cut(line.expandtabs(4))
    if len(data) > _MOST_TEXT:
        yield f"… {count_bytes(len(data) - _MOST_TEXT)} more"


def _hex(data: memoryview) -> Iterator[str]:
    for at in range(0, min(len(data), 4 * _ROW), _ROW):
        yield f"{at:04x}  {bytes(data[at : at + _ROW]).hex(' ')}"
    if len(data) > 4 * _ROW:
        yield f"… {count_bytes(len(data) - 4 * _ROW)} more"


def _cut(line: str) -> str:
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def _chunks(body: WholeBody, segments: Segments) -> Iterator[Row]:
    """Which chunks the body was put together from."""
    if not body.chunks:
        return
    rows = tuple(Row(f"{each.name}: {each.value}", segments(each.start), _trailer(each)) for each in body.chunks)
    most = rows[: MOST_LINES - 1] + rows[-1:] if len(rows) > MOST_LINES else rows
    left_out = (Row(f"… {len(rows) - len(most)} more chunks between", tone=Tone.QUIET),) if most != rows else ()
    yield Row(f"came as {body.field.value}", segments(body.field.start), (*most, *left_out), Tone.QUIET)


def _trailer(chunk: Field) -> tuple[Row, ...]:
    return tuple(Row(f"{each.name}: {each.value}") for each in chunk.children)
