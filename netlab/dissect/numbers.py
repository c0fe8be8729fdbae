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


@dataclass(frozen=True, slots=True)
class Character:
    """A character, safe to show, or None; ``words`` say which it is, or why there is none."""

    shown: str | None
    words: str


def character_at(view: memoryview) -> Character:
    """The UTF-8 character at the start of ``view``. At most four bytes are read."""
    head = bytes(view[:4])
    if not head:
        return Character(None, "no byte here")
    lead = head[0]
    size = 1 if lead < 0x80 else next((size for size, leads in _LEADS.items() if lead in leads), 0)
    if not size:
        return Character(None, "no character begins here")
    try:
        char = head[:size].decode()
    except UnicodeDecodeError:
        return Character(None, f"not UTF-8: {'cut short' if len(head) < size else 'wrong continuation'}")
    name = unicodedata.name(char, "").lower()
    return Character(safe(char), f"'{safe(char)}' U+{ord(char):04X}" + (f" {name}" if name else ""))


_LEADS = {2: range(0xC2, 0xE0), 3: range(0xE0, 0xF0), 4: range(0xF0, 0xF5)}
"""The first byte of a longer character, by its size (RFC 3629)."""
