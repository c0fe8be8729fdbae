"""The numbers and the character that begin at some byte: what a debugger shows at the cursor."""

from __future__ import annotations

import struct
import unicodedata
from dataclasses import dataclass

from netlab.dissect.text import safe

WIDEST = 8
"""Bytes that the widest number takes."""
_CODES = {"u8": "B", "i8": "b", "u16": "H", "i16": "h", "u32": "I", "i32": "i", "u64": "Q", "i64": "q"}
_FLOATS = {"f32": "f", "f64": "d"}


@dataclass(frozen=True, slots=True)
class Number:
    """One number type at a place, as text in both byte orders (the same for one byte)."""

    name: str
    size: int
    big: str
    little: str


def _text(code: str, view: memoryview, order: str) -> str:
    value: int | float = struct.unpack_from(order + code, view)[0]
    return f"{value:.9g}" if code == "f" else str(value)


def numbers_at(view: memoryview) -> tuple[Number, ...]:
    """u8 … i64, f32 and f64 at the start of ``view``; those that it is too short for are left out."""
    found = []
    for name, code in (_CODES | _FLOATS).items():
        size = struct.calcsize("=" + code)
        if size <= len(view):
            found.append(Number(name, size, _text(code, view, ">"), _text(code, view, "<")))
    return tuple(found)


def character_at(view: memoryview) -> str:
    """The UTF-8 character at the start of ``view`` in words, or why there is none. At most four bytes are read."""
    head = bytes(view[:4])
    if not head:
        return "no byte here"
    lead = head[0]
    size = (
        1
        if lead < 0x80
        else 2
        if 0xC2 <= lead < 0xE0
        else 3
        if 0xE0 <= lead < 0xF0
        else 4
        if 0xF0 <= lead < 0xF5
        else 0
    )
    if not size:
        return "no character begins here"
    try:
        char = head[:size].decode()
    except UnicodeDecodeError:
        return f"not UTF-8: {'cut short' if len(head) < size else 'wrong continuation'}"
    name = unicodedata.name(char, "").lower()
    return f"'{safe(char)}' U+{ord(char):04X}" + (f" {name}" if name else "")
