"""HTTP/1 in a run of bytes: start line, headers and body of each message, as fields.

It finds the ends of messages as a careful server does; bytes that are ambiguous about them stay raw, with the reason.
It knows no server and follows no connection, so it cannot see which request a response answers; `http_flow` does.
"""

from __future__ import annotations

import re

from netlab.capture.model import Direction
from netlab.dissect.documents.document import ContentReader
from netlab.dissect.fields import Dissection, Field
from netlab.dissect.http.body import read_body
from netlab.dissect.http.content import show_content
from netlab.dissect.http.head import read_headers, read_start
from netlab.dissect.http.message import HttpMessage
from netlab.dissect.http.values import quoted, shortened

MOST_MESSAGES = 1000

EMPTY_LINES = re.compile(rb"(?:\r?\n)+")
"""Ignored before a request line (RFC 9112, section 2.2)."""


def read_http(
    data: memoryview, direction: Direction, offset: int = 0, content: ContentReader | None = None
) -> Dissection:
    """The messages in a run of bytes. ``content`` reads their bodies; without it a form is shown by field.

    A dissector (`netlab.dissect.fields`): total, linear, and it copies nothing but the values that it shows.
    """
    fields: list[Field] = []
    last: HttpMessage | None = None
    summaries: list[str] = []
    position = 0
    while position < len(data) and len(fields) < MOST_MESSAGES and (last is None or last.whole):
        begin = position
        if direction is Direction.TO_SERVER and (empty := EMPTY_LINES.match(data, position)):
            begin = empty.end()
        known = not offset or bool(fields)
        last = read_message(data, begin, content, may_begin=known) if begin < len(data) else None
        if last is None and not (known and begin == len(data)):
            break
        if begin > position:
            fields.append(Field("empty line", position, begin, "text", "ignored before a request line"))
            position = begin
        if last is None:
            break
        fields.append(field_of(last))
        summaries.append(last.summary)
        position = last.position
    problem = last.problem if last else ""
    if position < len(data):
        problem = problem or _why_raw(bool(fields), len(fields) >= MOST_MESSAGES, offset)
        fields.append(Field("bytes", position, len(data), "bytes", quoted(data[position:])))
    return Dissection(tuple(fields), in_a_line(summaries) or shortened(data), last.needs if last else 0, problem)


def in_a_line(summaries: list[str]) -> str:
    """The first messages in a line, and how many more there are."""
    return " · ".join(summaries[:3]) + (f" · {len(summaries) - 3} more" if len(summaries) > 3 else "")


def _why_raw(after: bool, full: bool, offset: int) -> str:
    if full:
        return f"only the first {MOST_MESSAGES} messages are read"
    if after:
        return "what follows the message is not HTTP"
    return "bytes from within a message; see the whole stream" if offset else "this is not HTTP/1"


def field_of(message: HttpMessage) -> Field:
    """A message with its parts."""
    kind = "response" if message.status else "request"
    return Field(kind, message.start, message.position, "http", message.title, tuple(message.fields))


def read_message(
    data: memoryview,
    start: int,
    content: ContentReader | None,
    may_begin: bool,
    answers: str | None = None,
    *,
    brief: bool = False,
) -> HttpMessage | None:
    """The message that starts here; ``may_begin``: half a line can be its beginning.

    ``answers`` is the method of the request, if it is a response and that is known. ``brief``: only its summary is
    wanted.
    """
    message = HttpMessage(data, start, start, answers=answers, brief=brief)
    if not read_start(message, may_begin):
        return None
    if message.position == len(data) and not message.fields[0].children:
        message.summary = f"{message.title}…"
        return message
    message.summary = message.title
    if read_headers(message):
        read_body(message)
        show_content(message, content)
    return message
