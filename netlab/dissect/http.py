"""HTTP/1 in a run of bytes: start line, headers and body of each message, as fields.

It finds where messages end the way a careful server does, says so where bytes are ambiguous about it, and leaves those
raw. It knows no server and follows no connection: what a response answers it cannot see.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise
from urllib.parse import unquote_plus

from netlab.capture.model import Direction
from netlab.dissect.fields import Dissection, Field
from netlab.dissect.text import safe

LONGEST_LINE = 65536
SHOWN = 200
"""Characters of a value that are copied."""
MOST_MESSAGES = 1000
MOST_LINES = 20000
"""Headers, or chunks, of one message that are read at all."""
MOST_PARTS = 200
"""Headers, chunks, or fields of a form that are listed one by one."""
MOST_JOINED = 1 << 20
"""Bytes of a chunked body that are put together to be read as a whole."""

_REQUEST = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}) ([^ \r\n]+) (HTTP/\d\.\d)")
_EMPTY_LINES = re.compile(rb"(?:\r?\n)+")
"""Ignored before a request line (RFC 9112, section 2.2)."""
_STATUS = re.compile(rb"(HTTP/\d\.\d) (\d{3})(?: (.*))?")
_BEGUN = re.compile(
    rb"(?:[A-Z]{1,20}(?: [!-~\x80-\xff]*(?: (?:H|HT|HTT|HTTP|HTTP/[\d.]{0,3})?)?)?|HTTP/[\d.]{0,3}(?: .*)?)\r?"
)
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*)")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?")
_TEXT = re.compile(r"text/|[\w./+-]*(?:xml|json|javascript|urlencoded)")
_BOUNDARY = re.compile(r'multipart/[^;]{1,40}.*boundary="?([^";]{1,70})', re.IGNORECASE)
_NAME = re.compile(rb'(?i)content-disposition:[^\r\n]*?[ ;]name="?([^";\r\n]*)')
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Content:
    """What a reader of bodies found in one: fields, the message in one line, why it stopped."""

    fields: tuple[Field, ...] = ()
    summary: str = ""
    problem: str = ""


ContentReader = Callable[[memoryview, Callable[[int], int]], Content]
"""Reads a body as far as it has arrived; the second argument turns a position in it into one in the stream."""


@dataclass(slots=True)
class _Message:
    """One message while it is read: its fields so far, where reading stands, what it still waits for."""

    data: memoryview
    start: int
    position: int
    title: str = ""
    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    fields: list[Field] = field(default_factory=list)
    pieces: list[tuple[int, int]] = field(default_factory=list)
    summary: str = ""
    needs: int = 0
    whole: bool = False
    problem: str = ""

    def values(self, name: str) -> list[str]:
        """What the headers of that name say."""
        return [value.strip() for key, value in self.headers if key == name]

    def add(self, name: str, end: int, kind: str, value: str, children: tuple[Field, ...] = ()) -> None:
        """Take what stands up to ``end`` as the next field."""
        self.fields.append(Field(name, self.position, end, kind, value, children))
        self.position = end

    def leave(self, problem: str) -> None:
        """Take what is left as raw bytes, and say why."""
        self.problem = problem
        if self.position < len(self.data):
            self.add("rest", len(self.data), "bytes", quoted(self.data[self.position :]))


def read_http(
    data: memoryview, direction: Direction, offset: int = 0, content: ContentReader | None = None
) -> Dissection:
    """The messages in a run of bytes. ``content`` reads their bodies; without it a form is shown by field.

    A dissector (`netlab.dissect.fields`): total, linear, and it copies nothing but the values that it shows.
    """
    fields: list[Field] = []
    last: _Message | None = None
    summaries: list[str] = []
    position = 0
    while position < len(data) and len(fields) < MOST_MESSAGES and (last is None or last.whole):
        begin = position
        if direction is Direction.TO_SERVER and (empty := _EMPTY_LINES.match(data, position)):
            begin = empty.end()
        known = not offset or bool(fields)
        last = _read_message(data, begin, content, may_begin=known) if begin < len(data) else None
        if last is None and not (known and begin == len(data)):
            break
        if begin > position:
            fields.append(Field("empty line", position, begin, "text", "ignored before a request line"))
            position = begin
        if last is None:
            break
        fields.append(_field_of(last))
        summaries.append(last.summary)
        position = last.position
    problem = last.problem if last else ""
    if position < len(data):
        problem = problem or _why_raw(bool(fields), len(fields) >= MOST_MESSAGES, offset)
        fields.append(Field("bytes", position, len(data), "bytes", quoted(data[position:])))
    summary = " · ".join(summaries[:3]) + (f" · {len(summaries) - 3} more" if len(summaries) > 3 else "")
    return Dissection(tuple(fields), summary or shortened(data), last.needs if last else 0, problem)


def _why_raw(after: bool, full: bool, offset: int) -> str:
    if full:
        return f"only the first {MOST_MESSAGES} messages are read"
    if after:
        return "what follows the message is not HTTP"
    return "bytes from within a message; the whole stream tells more" if offset else "this is not HTTP/1"


def _field_of(message: _Message) -> Field:
    kind = "response" if message.status else "request"
    return Field(kind, message.start, message.position, "http", message.title, tuple(message.fields))


def _read_message(data: memoryview, start: int, content: ContentReader | None, may_begin: bool) -> _Message | None:
    """The message that starts here; ``may_begin`` says that half a line can be the beginning of one."""
    message = _Message(data, start, start)
    if not _read_start(message, may_begin):
        return None
    if message.position == len(data) and not message.fields[0].children:
        message.summary = f"{message.title}…"
        return message
    message.summary = message.title
    if _read_headers(message):
        _read_body(message)
        _show_content(message, content)
    return message


# The head: start line and headers.


def line_end(data: memoryview, start: int) -> int | None:
    """Where the newline of a line stands, without copying more than the line; None if it has not arrived."""
    size = 128
    while True:
        window = bytes(data[start : start + size])
        if (at := window.find(b"\n")) >= 0:
            return start + at
        if len(window) < size or size >= LONGEST_LINE:
            return None
        size *= 4


def _read_start(message: _Message, may_begin: bool) -> bool:
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


def _read_start_begun(message: _Message) -> bool:
    begun = bytes(message.data[message.start : message.start + LONGEST_LINE + 1])
    if len(begun) > LONGEST_LINE or not _BEGUN.fullmatch(begun):
        return False
    message.title = shown(begun)
    message.add("start line", len(message.data), "text", f"{message.title} … waits for the end of the line")
    return True


def _groups(match: re.Match[bytes], names: tuple[str, ...], start: int) -> tuple[Field, ...]:
    """A field for each group of a match; ``start`` is where the matched bytes stand."""
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


def _read_headers(message: _Message) -> bool:
    """Read the headers; False if their end has not arrived, or will not be found."""
    data, position, fields = message.data, message.position, list[Field]()
    while len(fields) < MOST_LINES and (end := line_end(data, position)) is not None:
        line = bytes(data[position:end]).removesuffix(b"\r")
        if not line:
            _add_headers(message, position, fields)
            message.add("blank line", end + 1, "end", "end of the headers")
            return True
        fields.append(_header(line, position))
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


def _add_headers(message: _Message, end: int, fields: list[Field]) -> None:
    if fields:
        message.add("headers", end, "headers", _count(fields, "header"), tuple(fields[:MOST_PARTS]))


def _header(line: bytes, start: int) -> Field:
    match = _HEADER.fullmatch(line)
    if match is None:
        return Field("malformed", start, start + len(line), "text", shown(line))
    return Field(match[1].decode("ascii")[:60], start, start + len(line), "text", shown(match[2]))


# The body: where it ends, and what it holds.


def _read_body(message: _Message) -> None:
    """Find the body's end, by RFC 9112, section 6.3."""
    lengths, codings = message.values("content-length"), message.values("transfer-encoding")
    if (codings and lengths) or len(set(lengths)) > 1:
        said = ", ".join([*lengths, *codings])[:SHOWN]
        message.leave(f"ambiguous about its length: {said}")
    elif 100 <= message.status < 200 or message.status in (204, 304):
        message.whole = True
    elif codings:
        _read_coded(message, codings)
    elif lengths:
        _read_counted(message, lengths[0])
    elif message.status:
        _read_to_end(message)
    else:
        message.whole = True


def _read_counted(message: _Message, length: str) -> None:
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


def _unless_head(message: _Message) -> str:
    """A response to HEAD announces a body that never comes, and only the request tells."""
    return " (none come in answer to HEAD)" if message.status and message.position == len(message.data) else ""


def _read_to_end(message: _Message) -> None:
    message.pieces.append((message.position, len(message.data)))
    _add_body(message, len(message.data), " (until the connection closes)")


def _add_body(message: _Message, end: int, note: str) -> None:
    body = message.data[message.position : end]
    kind = (message.values("content-type")[:1] or [""])[0]
    coded = message.values("content-encoding")[:1]
    if coded:
        message.add("body", end, "bytes", f"{coded[0][:40]} {quoted(body)}{note}")
    elif boundary := _BOUNDARY.match(kind):
        parts = _parts(message.data, message.position, end, b"--" + boundary[1].encode("latin-1"))
        message.add("body", end, "multipart", f"{_count(parts, 'part')}, {len(body)} bytes{note}", tuple(parts))
    elif _TEXT.match(kind.lower()):
        children = form_fields(message.data, message.position, end) if kind.lower().startswith(_FORM) else ()
        message.add("body", end, "text", shown(bytes(body[: SHOWN + 1]), len(body)) + note, children)
    else:
        message.add("body", end, "bytes", quoted(body) + note)


def _parts(data: memoryview, start: int, end: int, boundary: bytes) -> list[Field]:
    """The parts of a multipart body (RFC 2046, section 5.1.1), each named as its head says."""
    raw = bytes(data[start : min(end, start + LONGEST_LINE)])
    marks = [match.start() for match in islice(re.finditer(b"(?<![^\n])" + re.escape(boundary), raw), MOST_PARTS + 1)]
    fields = []
    for begin, stop in pairwise(marks):
        head, _, content = raw[begin + len(boundary) : stop].partition(b"\r\n\r\n")
        name = _NAME.search(head)
        value = shown(content.removesuffix(b"\r\n"))
        fields.append(Field(_unquoted(name[1]) if name else "part", start + begin, start + stop, "part", value))
    return fields


def _read_coded(message: _Message, codings: list[str]) -> None:
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
    text = f"{total} bytes in {_count(message.pieces, 'chunk')}" + ("" if message.whole else " … waits for more")
    message.position = start
    message.add("body", end, "chunked", text, tuple(fields))
    if message.problem:
        message.leave(message.problem)


def _read_chunk(message: _Message, number: int) -> tuple[Field, int] | None:
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
        message.problem, message.position = "a chunk does not end where it should", stop
        return None
    name = f"chunk {number}"
    here = "" if stop - end - 1 == size else f", {stop - end - 1} of them here"
    text = f"{size} bytes{here}: {quoted(data[end + 1 : stop])}"
    return Field(name, start, message.position, "chunk", text), -1 if message.needs else size


def _read_trailer(message: _Message, start: int, position: int) -> tuple[Field, int] | None:
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
            trailer.append(_header(line, position))
        position = end + 1
    message.problem = "headers without end"
    return None


def _show_content(message: _Message, content: ContentReader | None) -> None:
    """Let the reader of bodies look at what has arrived, and take its fields under the body."""
    size = sum(end - start for start, end in message.pieces)
    if message.status and message.fields[-1].name == "body":
        message.summary = f"{message.title} · {size and size + message.needs} bytes"  # as announced, once it has begun
    if content is None or not size or message.values("content-encoding"):
        return
    found = content(*_joined(message))
    body = message.fields[-1]
    if body.name == "body":
        children = found.fields or body.children
        message.fields[-1] = Field("body", body.start, body.end, body.kind, body.value, children)
    message.summary = found.summary or message.summary
    message.problem = message.problem or (found.problem if message.whole else "")


def _joined(message: _Message) -> tuple[memoryview, Callable[[int], int]]:
    """The body without the sizes of chunks, and where in the stream each of its bytes stands."""
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


# How values read.


def form_fields(data: memoryview, start: int, end: int) -> tuple[Field, ...]:
    """The parameters in ``name=Guido&x=1``."""
    raw = bytes(data[start : min(end, start + LONGEST_LINE)])
    return tuple(islice(_pairs(raw, start), MOST_PARTS))


def _pairs(raw: bytes, start: int) -> Iterator[Field]:
    for match in re.finditer(rb"[^&]+", raw):
        name, _, value = match[0].partition(b"=")
        yield Field(_unquoted(name), start + match.start(), start + match.end(), "parameter", _unquoted(value))


def _unquoted(raw: bytes) -> str:
    """What a quoted name or value stands for; shortened first, as a value of any length may come."""
    text = unquote_plus(raw[: 3 * SHOWN].decode("utf-8", "replace"))
    return safe(text[:SHOWN]) + ("…" if len(text) > SHOWN or len(raw) > 3 * SHOWN else "")


def shown(raw: bytes, length: int | None = None) -> str:
    """Bytes as text, shortened; ``length`` is how many there are when these are only the first."""
    length = len(raw) if length is None else length
    return raw[:SHOWN].decode("utf-8", "replace") + (f"… ({length} bytes)" if length > SHOWN else "")


def quoted(raw: memoryview) -> str:
    """Bytes as Python writes them, shortened."""
    return repr(bytes(raw[:48])) + (f"… ({len(raw)} bytes)" if len(raw) > 48 else "")


def shortened(data: memoryview) -> str:
    """The beginning of bytes that are not understood, as one line."""
    return bytes(data[:60]).decode("utf-8", "replace") + ("…" if len(data) > 60 else "")


def _count(things: Sequence[object], name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"
