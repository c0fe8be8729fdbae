"""What TCP's echo carries: text by line, or plain bytes. A stream has no messages; lines are its reader's idea."""

from __future__ import annotations

import codecs
import re

from netlab.capture.model import Direction
from netlab.dissect.fields import Dissection, Field

MOST_BYTES = 65536
"""How many bytes are looked at; the rest is one field."""
MOST_LINES = 500
LONGEST_VALUE = 200

_NOT_TEXT = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f]")
_CONTINUATION = re.compile(rb"[\x80-\xbf]{0,3}")


def dissect(data: memoryview, direction: Direction, offset: int = 0) -> Dissection:
    """Lines of text, or one field of bytes; a character that is cut at either end is a field of its own."""
    head = bytes(data[:MOST_BYTES])
    if not head:
        return Dissection((), "empty")
    begin, end = _text_span(head, inside=offset > 0)
    if begin == end:
        fields, summary = [_bytes_field(head)], f"{head[:16].hex(' ')}{' …' if len(data) > 16 else ''}"
        return Dissection((*fields, *_rest(head, data)), summary)
    lines = _lines(head, begin, end)
    before = [Field("end of a character", 0, begin, "utf-8", head[:begin].hex(" "))] if begin else []
    cut = len(head) if end < len(head) else end
    after = [Field("begin of a character", end, cut, "utf-8", head[end:].hex(" "))] if cut > end else []
    needs = _character_length(head[end]) - (cut - end) if after and len(head) == len(data) else 0
    return Dissection((*before, *lines, *after, *_rest(head, data)), _summary(lines), needs)


def _text_span(head: bytes, *, inside: bool) -> tuple[int, int]:
    """Where text begins and ends in some bytes; an empty span when they are no text.

    ``inside`` says that they begin in the middle of a stream, maybe in the middle of a character.
    """
    begin = _CONTINUATION.match(head).end() if inside else 0  # type: ignore[union-attr]  # it matches always
    try:
        length = codecs.utf_8_decode(head[begin:], "strict", False)[1]
    except UnicodeDecodeError:
        length = 0
    return (begin, begin + length) if not _NOT_TEXT.search(head) else (0, 0)


def _lines(head: bytes, begin: int, end: int) -> list[Field]:
    """A field for each line with its end, the last one perhaps without; a single piece of a line is the payload."""
    fields: list[Field] = []
    while begin < end and len(fields) < MOST_LINES:
        stop = head.find(b"\n", begin, end) + 1 or end
        fields.append(Field(f"line {len(fields) + 1}", begin, stop, "text", _shown(head[begin:stop])))
        begin = stop
    if begin < end:
        fields.append(Field("more lines", begin, end, "text", f"{end - begin} bytes"))
    if len(fields) == 1 and not head.endswith(b"\n", 0, end):
        only = fields[0]
        return [Field("payload", only.start, only.end, only.kind, only.value)]
    return fields


def _shown(text: bytes) -> str:
    """Text as Python writes it; long text by its beginning and length."""
    whole = repr(text.decode(errors="replace"))
    return whole if len(whole) <= LONGEST_VALUE else f"{whole[:LONGEST_VALUE]}… {len(text)} bytes"


def _summary(lines: list[Field]) -> str:
    first = lines[0].value
    return first if len(lines) == 1 else f"{len(lines)} lines: {first}"


def _bytes_field(head: bytes) -> Field:
    shown = head[: LONGEST_VALUE // 4].hex(" ")
    return Field("payload", 0, len(head), "bytes", shown if len(shown) == 3 * len(head) - 1 else f"{shown} …")


def _rest(head: bytes, data: memoryview) -> list[Field]:
    if len(head) == len(data):
        return []
    return [Field("rest", len(head), len(data), "bytes", f"{len(data) - len(head)} bytes more, not looked at")]


def _character_length(lead: int) -> int:
    """Bytes of a UTF-8 character that begins with this byte (RFC 3629, section 3)."""
    return 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
