"""A `struct` format laid over bytes: each item's span and value, and the Python line that unpacks them.

Unpacks from a memoryview slice; nothing is copied but the values. Errors are sentences for the person who typed it.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from netlab.dissect.fields import Field

LIMIT = 4096
"""Most bytes that a format may cover: what is unpacked live at each key must stay small."""
_ITEM = re.compile(r"\s*(\d*)([cbB?hHiIlLqQnNefdspPx])")
_NAMES = {
    "c": "char", "b": "i8", "B": "u8", "?": "bool", "h": "i16", "H": "u16", "i": "i32", "I": "u32", "q": "i64",
    "Q": "u64", "l": "long", "L": "ulong", "n": "ssize", "N": "size", "e": "f16", "f": "f32", "d": "f64",
    "s": "bytes", "p": "pascal", "P": "pointer",
}  # fmt: skip


class FormatRefused(ValueError):
    """The format cannot be unpacked here; the text says why, and what to try."""


@dataclass(frozen=True, slots=True)
class StructView:
    """A format unpacked at an offset. ``fields`` have spans in the source's offsets, ``line`` is the Python for it."""

    fields: tuple[Field, ...]
    size: int
    line: str

    @property
    def values(self) -> str:
        """The values as Python would show them, separated by commas."""
        return ", ".join(field.value for field in self.fields)


def _spans(order: str, items: str) -> list[tuple[str, int, int]]:
    """Code, start and end of each value; with native alignment the padding belongs to no value."""
    spans: list[tuple[str, int, int]] = []
    for match in _ITEM.finditer(items):
        count, code = match.groups()
        end = struct.calcsize(order + items[: match.end()])
        if code == "x":
            continue
        if code in "sp":
            spans.append((code, end - struct.calcsize(order + count + code), end))
            continue
        size = struct.calcsize(order + code)
        times = int(count or 1)
        spans += [(code, end - size * (times - i), end - size * (times - i - 1)) for i in range(times)]
    return spans


def struct_size(form: str) -> int:
    """Bytes that the format covers, at most `LIMIT`; `FormatRefused` for what is not a format."""
    if not form.isascii():
        raise FormatRefused("a struct format is plain ASCII, such as !BI")
    try:
        size = struct.calcsize(form)
    except struct.error as problem:
        hint = "n, N and P need native order" if set("nNP") & set(form) else "try !BI: network order, u8, u32"
        raise FormatRefused(f"not a struct format: {problem}; {hint}") from None
    if size > LIMIT:
        raise FormatRefused(f"it covers {size} bytes; at most {LIMIT} are unpacked here")
    return size


def unpack_at(form: str, view: memoryview, offset: int) -> StructView:
    """Unpack ``form`` at the start of ``view``, which lies at ``offset``; `FormatRefused` says what is wrong."""
    size = struct_size(form)
    if size > len(view):
        raise FormatRefused(f"needs {size} bytes, only {len(view)} are left at {offset}")
    try:
        values = struct.unpack_from(form, view)
    except (struct.error, SystemError) as problem:  # CPython's struct raises SystemError for 0p
        raise FormatRefused(f"struct cannot unpack it: {problem}") from None
    order, items = (form[0], form[1:]) if form[:1] in tuple("@=<>!") else ("@", form)
    fields = tuple(
        Field(f"[{index}]", offset + start, offset + end, _NAMES[code], repr(value))
        for index, ((code, start, end), value) in enumerate(zip(_spans(order, items), values, strict=True))
    )
    return StructView(fields, size, f"struct.unpack_from({form!r}, view, {offset})")
