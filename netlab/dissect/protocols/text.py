"""Text in lines, and bytes: what is left if no protocol is recognised."""

from __future__ import annotations

from netlab.capture.model import Direction, Transport
from netlab.dissect.fields import Dissection, Field
from netlab.dissect.flow import Match, Opening, Protocol, stateless

MOST_LINES = 1000
_SHOWN = 200


def dissect(data: memoryview, direction: Direction, offset: int = 0) -> Dissection:
    """The lines of a run of text, or one field of bytes."""
    head = bytes(data[:_SHOWN])
    if not _is_text(head):
        more = f"… ({len(data):,} bytes)" if len(data) > 32 else ""
        shown = head[:32].hex(" ") + more
        return Dissection((Field("bytes", 0, len(data), "bytes", shown),) if data else (), shown)
    fields, at = list[Field](), 0
    while at < len(data) and len(fields) < MOST_LINES:
        end = _line_end(data, at)
        fields.append(Field("line", at, end, "text", _shown(data[at:end])))
        at = end
    if at < len(data):
        fields.append(Field("rest", at, len(data), "bytes", f"{len(data) - at:,} bytes"))
    problem = f"only the first {MOST_LINES:,} lines are read" if at < len(data) else ""
    return Dissection(tuple(fields), _summary(fields), problem=problem)


def _is_text(head: bytes) -> bool:
    text = head.decode("utf-8", "replace")
    odd = sum(1 for c in text if (not c.isprintable() and c not in "\r\n\t") or c == "\ufffd")
    return odd * 4 <= len(text)


def _line_end(data: memoryview, start: int) -> int:
    """Where the line ends, with its newline."""
    at, size = start, 256
    while at < len(data):
        found = bytes(data[at : at + size]).find(b"\n")
        if found >= 0:
            return at + found + 1
        at, size = at + size, size * 4
    return len(data)


def _shown(line: memoryview) -> str:
    text = bytes(line[:_SHOWN]).decode("utf-8", "replace").rstrip("\r\n")
    return text + (f"… ({len(line):,} bytes)" if len(line) > _SHOWN else "")


def _summary(fields: list[Field]) -> str:
    shown = " · ".join(field.value for field in fields[:3])
    return shown + (f" · {len(fields) - 3} more" if len(fields) > 3 else "")


def recognise(opening: Opening) -> Match:
    """Never: it is what is left."""
    return Match.NO


PROTOCOL = Protocol("text", "text or bytes", recognise, stateless(dissect), 1000, frozenset(Transport))
