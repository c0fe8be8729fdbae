"""How HTTP's names and values read: shortened, as text or as Python writes bytes; and the fields of a form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from urllib.parse import unquote_plus

from netlab.dissect.fields import Field
from netlab.dissect.text import safe

LONGEST_LINE = 65536
SHOWN = 200
"""Characters of a value that are copied."""
MOST_PARTS = 200
"""Headers, chunks, or fields of a form that are listed one by one."""


def line_end(data: memoryview, start: int) -> int | None:
    """The position of a line's newline, without copying more than the line; None if it has not arrived."""
    size = 128
    while True:
        window = bytes(data[start : start + size])
        if (at := window.find(b"\n")) >= 0:
            return start + at
        if len(window) < size or size >= LONGEST_LINE:
            return None
        size *= 4


def form_fields(data: memoryview, start: int, end: int) -> tuple[Field, ...]:
    """The parameters in ``name=Guido&x=1``."""
    raw = bytes(data[start : min(end, start + LONGEST_LINE)])
    return tuple(islice(_pairs(raw, start), MOST_PARTS))


def _pairs(raw: bytes, start: int) -> Iterator[Field]:
    for match in re.finditer(rb"[^&]+", raw):
        name, _, value = match[0].partition(b"=")
        yield Field(unquoted(name), start + match.start(), start + match.end(), "parameter", unquoted(value))


def unquoted(raw: bytes) -> str:
    """A quoted name or value in plain text; shortened first, because it may be long."""
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


def count(things: Sequence[object], name: str) -> str:
    """``3 headers``."""
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"
