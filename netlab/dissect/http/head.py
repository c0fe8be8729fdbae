"""The head of an HTTP message: start line and headers, as fields."""

from __future__ import annotations

import re

from netlab.dissect.fields import Field
from netlab.dissect.http.message import MOST_LINES, HttpMessage
from netlab.dissect.http.values import LONGEST_LINE, MOST_PARTS, SHOWN, count, form_fields, line_end, shown

_REQUEST = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}) ([^ \r\n]+) (HTTP/\d\.\d)")
_STATUS = re.compile(rb"(HTTP/\d\.\d) (\d{3})(?: (.*))?")
_BEGUN = re.compile(
    rb"(?:[A-Z]{1,20}(?: [!-~\x80-\xff]*(?: (?:H|HT|HTT|HTTP|HTTP/[\d.]{0,3})?)?)?|HTTP/[\d.]{0,3}(?: .*)?)\r?"
)
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*)")


def read_start(message: HttpMessage, may_begin: bool) -> bool:
    """Read the start line; False if there is none."""
    data, start = message.data, message.start
    end = line_end(data, start)
    if end is None:
        return may_begin and _read_start_begun(message)
    line = bytes(data[start:end]).removesuffix(b"\r")
    if status := _STATUS.fullmatch(line):
        names, message.status = ("version", "status", "reason"), int(status[2])
        parts = _groups(status, names, start)
        message.title = shown(line.partition(b" ")[2])
    elif request := _REQUEST.fullmatch(line):
        parts = _groups(request, ("method", "target", "version"), start)
        parts = (parts[0], _with_query(data, parts[1]), parts[2])
        message.title = f"{parts[0].value} {parts[1].value}"
    else:
        return False
    message.add("status line" if message.status else "request line", end + 1, "text", shown(line), parts)
    return True


def _read_start_begun(message: HttpMessage) -> bool:
    begun = bytes(message.data[message.start : message.start + LONGEST_LINE + 1])
    if len(begun) > LONGEST_LINE or not _BEGUN.fullmatch(begun):
        return False
    message.title = shown(begun)
    message.add("start line", len(message.data), "text", f"{message.title} … waits for the end of the line")
    return True


def _groups(match: re.Match[bytes], names: tuple[str, ...], start: int) -> tuple[Field, ...]:
    """A field for each group of a match; ``start`` is the place of the matched bytes."""
    return tuple(
        Field(name, start + match.start(i), start + match.end(i), "text", shown(match[i]))
        for i, name in enumerate(names, 1)
        if match[i] is not None
    )


def _with_query(data: memoryview, target: Field) -> Field:
    """The target of a request with the parameters of its query beneath."""
    raw = bytes(data[target.start : min(target.end, target.start + LONGEST_LINE)])
    mark = raw.find(b"?")
    children = form_fields(data, target.start + mark + 1, target.end) if mark >= 0 else ()
    return Field("target", target.start, target.end, "text", target.value, children)


def read_headers(message: HttpMessage) -> bool:
    """Read the headers; False if their end has not arrived, or will not be found."""
    data, position, fields = message.data, message.position, list[Field]()
    while len(fields) < MOST_LINES and (end := line_end(data, position)) is not None:
        line = bytes(data[position:end]).removesuffix(b"\r")
        if not line:
            _add_headers(message, position, fields)
            message.add("blank line", end + 1, "end", "end of the headers")
            message.head_end = message.position
            return True
        fields.append(header_field(line, position))
        if match := _HEADER.fullmatch(line):
            message.headers.append((match[1].decode("ascii").lower(), match[2].decode("latin-1")))
        position = end + 1
    _add_headers(message, position, fields)
    if len(fields) == MOST_LINES or len(data) - position > LONGEST_LINE:
        message.leave("headers without end")
    elif position < len(data):
        begun = shown(bytes(data[position : position + SHOWN]))
        message.add("header", len(data), "text", f"{begun} … waits for the end of the line")
    else:
        message.fields.append(Field("waiting", position, position, "end", "waits for the end of the headers"))
    message.summary += " …"
    return False


def _add_headers(message: HttpMessage, end: int, fields: list[Field]) -> None:
    if fields:
        message.add("headers", end, "headers", count(fields, "header"), tuple(fields[:MOST_PARTS]))


def header_field(line: bytes, start: int) -> Field:
    """One header line, which begins at ``start``."""
    match = _HEADER.fullmatch(line)
    if match is None:
        return Field("malformed", start, start + len(line), "text", shown(line))
    return Field(match[1].decode("ascii")[:60], start, start + len(line), "text", shown(match[2]))
