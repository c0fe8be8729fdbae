"""The body of an HTTP message: where it ends, and what it holds."""

from __future__ import annotations

import re
from itertools import islice, pairwise

from netlab.dissect.fields import Field
from netlab.dissect.http.head import header_field
from netlab.dissect.http.message import MOST_LINES, HttpMessage
from netlab.dissect.http.values import (
    LONGEST_LINE,
    MOST_PARTS,
    SHOWN,
    count,
    form_fields,
    line_end,
    quoted,
    shown,
    unquoted,
)

_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?")
_TEXT = re.compile(r"text/|[\w./+-]*(?:xml|json|javascript|urlencoded)")
_BOUNDARY = re.compile(r'multipart/[^;]{1,40}.*boundary="?([^";]{1,70})', re.IGNORECASE)
_NAME = re.compile(rb'(?i)content-disposition:[^\r\n]*?[ ;]name="?([^";\r\n]*)')
_KIND = re.compile(rb"(?i)content-type:[ \t]*([^;\r\n]{1,80})")
MOST_HEADERS = 20
"""Headers of a part that are listed."""
_FORM = "application/x-www-form-urlencoded"


def read_body(message: HttpMessage) -> None:
    """Find the body's end, by RFC 9112, section 6.3."""
    lengths, codings = message.values("content-length"), message.values("transfer-encoding")
    if (codings and lengths) or len(set(lengths)) > 1:
        said = ", ".join([*lengths, *codings])[:SHOWN]
        message.leave(f"ambiguous about its length: {said}")
    elif has_no_body(message):
        message.whole = True
    elif codings:
        _read_coded(message, codings)
    elif lengths:
        _read_counted(message, lengths[0])
    elif message.status:
        _read_to_end(message)
    else:
        message.whole = True


def has_no_body(message: HttpMessage) -> bool:
    """Whether it is a response that has none, whatever its headers say (RFC 9112, section 6.3)."""
    status = message.status
    if message.answers == "CONNECT" and 200 <= status < 300:
        return True
    return 100 <= status < 200 or status in (204, 304) or (bool(status) and message.answers == "HEAD")


def _read_counted(message: HttpMessage, length: str) -> None:
    if not re.fullmatch("[0-9]{1,18}", length):
        message.leave("Content-Length is not a number")
        return
    here = len(message.data) - message.position
    message.needs = max(int(length) - here, 0)
    message.whole = not message.needs
    end = message.position + min(int(length), here)
    if int(length):
        message.pieces.append((message.position, end))
        _add_body(message, end, f" … waits for {message.needs} bytes{_unless_head(message)}" if message.needs else "")


def _unless_head(message: HttpMessage) -> str:
    """A response to HEAD announces a body that never comes; only the request shows that."""
    unknown = message.status and message.answers is None and message.position == len(message.data)
    return " (none come in answer to HEAD)" if unknown else ""


def _read_to_end(message: HttpMessage) -> None:
    message.pieces.append((message.position, len(message.data)))
    _add_body(message, len(message.data), " (until the connection closes)")


def _add_body(message: HttpMessage, end: int, note: str) -> None:
    coded = message.values("content-encoding")[:1]
    if coded:
        message.add("body", end, "bytes", f"{coded[0][:40]} {quoted(message.data[message.position : end])}{note}")
    else:
        kind, value, children = described(message, message.data, message.position, end)
        message.add("body", end, kind, value + note, children)


def described(message: HttpMessage, data: memoryview, start: int, end: int) -> tuple[str, str, tuple[Field, ...]]:
    """Kind, value and fields of a body, which is ``data`` from ``start`` to ``end``, by its Content-Type."""
    body = data[start:end]
    kind = (message.values("content-type")[:1] or [""])[0]
    if boundary := _BOUNDARY.match(kind):
        parts = _parts(data, start, end, b"--" + boundary[1].encode("latin-1"))
        return "multipart", f"{count(parts, 'part')}, {len(body)} bytes", tuple(parts)
    if _TEXT.match(kind.lower()):
        children = form_fields(data, start, end) if kind.lower().startswith(_FORM) else ()
        return "text", shown(bytes(body[: SHOWN + 1]), len(body)), children
    return "bytes", quoted(body), ()


def _parts(data: memoryview, start: int, end: int, boundary: bytes) -> list[Field]:
    """The parts of a multipart body (RFC 2046, section 5.1.1), each named as its head says."""
    raw = bytes(data[start : min(end, start + LONGEST_LINE)])
    marks = [match.start() for match in islice(re.finditer(b"(?<![^\n])" + re.escape(boundary), raw), MOST_PARTS + 1)]
    return [_part(raw[begin:stop], start + begin, len(boundary)) for begin, stop in pairwise(marks)]


def _part(raw: bytes, start: int, boundary: int) -> Field:
    """A part, with its boundary, its headers, and what it holds."""
    head, blank, content = raw[boundary:].partition(b"\r\n\r\n")
    name, kind = _NAME.search(head), _KIND.search(head)
    headers, at = list[Field](), start + boundary
    for line in islice(re.finditer(rb"[^\r\n]+", head), MOST_HEADERS):
        headers.append(header_field(line[0], at + line.start()))
    content = content.removesuffix(b"\r\n")
    begin = at + len(head) + len(blank)
    text = kind is None or _TEXT.match(kind[1].decode("latin-1").lower())
    value = shown(content) if text else quoted(memoryview(content))
    inner = Field("content", begin, begin + len(content), "text" if text else "bytes", value)
    title = unquoted(name[1]) if name else "part"
    return Field(title, start, start + len(raw), "part", value, (*headers, *([inner] if blank else [])))


def _read_coded(message: HttpMessage, codings: list[str]) -> None:
    if [coding.lower() for coding in codings] != ["chunked"]:
        message.leave(f"Transfer-Encoding {', '.join(codings)[:SHOWN]} is not understood")
        return
    start, fields, size = message.position, list[Field](), -1
    while size and len(message.pieces) < MOST_LINES and (chunk := _read_chunk(message, len(message.pieces) + 1)):
        piece, size = chunk
        if len(fields) < MOST_PARTS or not size:
            fields.append(piece)
    if len(message.pieces) == MOST_LINES:
        message.problem = f"only the first {MOST_LINES} chunks are read"
    message.whole = size == 0 and not message.problem
    end = message.position if message.whole or message.problem else len(message.data)
    total = sum(stop - begin for begin, stop in message.pieces)
    text = f"{total} bytes in {count(message.pieces, 'chunk')}" + ("" if message.whole else " … waits for more")
    message.position = start
    message.add("body", end, "chunked", text, tuple(fields))
    if message.problem:
        message.leave(message.problem)


def _read_chunk(message: HttpMessage, number: int) -> tuple[Field, int] | None:
    """The next chunk and its size; None if the line with its size has not arrived."""
    data, start = message.data, message.position
    end = line_end(data, start)
    if end is None:
        return None
    match = _CHUNK.fullmatch(bytes(data[start:end]).removesuffix(b"\r"))
    if match is None:
        message.problem = "a chunk's size is not a number"
        return None
    size = int(match[1], 16)
    if size == 0:
        return _read_trailer(message, start, end + 1)
    stop = min(end + 1 + size, len(data))
    message.pieces.append((end + 1, stop))
    message.position = min(stop + 2, len(data))
    message.needs = end + 1 + size + 2 - message.position
    if not message.needs and bytes(data[stop : stop + 2]) != b"\r\n":
        message.problem, message.position = "a chunk does not end at its announced size", stop
        return None
    name = f"chunk {number}"
    here = "" if stop - end - 1 == size else f", {stop - end - 1} of them here"
    text = f"{size} byte{'s' * (size != 1)}{here}: {quoted(data[end + 1 : stop])}"
    return Field(name, start, message.position, "chunk", text), -1 if message.needs else size


def _read_trailer(message: HttpMessage, start: int, position: int) -> tuple[Field, int] | None:
    """The last chunk, with the headers that may follow it."""
    trailer: list[Field] = []
    for _ in range(MOST_LINES):
        if (end := line_end(message.data, position)) is None:
            return None
        line = bytes(message.data[position:end]).removesuffix(b"\r")
        if not line:
            message.position = end + 1
            return Field("last chunk", start, end + 1, "chunk", "0 bytes", tuple(trailer)), 0
        if len(trailer) < MOST_PARTS:
            trailer.append(header_field(line, position))
        position = end + 1
    message.problem = "headers without end"
    return None
