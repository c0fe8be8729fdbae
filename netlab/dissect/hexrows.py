"""Bytes as rows of hex and text: the tables behind every hex view, and the five classes of a byte.

The classes and their glyphs are hexyl's, so that a space and a NUL differ in the text column even without colour.
Nothing here knows a widget.
"""

from __future__ import annotations

from enum import IntEnum


class ByteClass(IntEnum):
    """What a byte is, seen as ASCII."""

    NULL = 0
    PRINTABLE = 1
    SPACE = 2
    """ASCII whitespace, the space itself too."""
    CONTROL = 3
    """Any other ASCII byte."""
    HIGH = 4
    """Not ASCII."""


_WHITESPACE = b" \t\n\v\f\r"
_GLYPHS = {ByteClass.NULL: "⋄", ByteClass.SPACE: "_", ByteClass.CONTROL: "•", ByteClass.HIGH: "×"}


def byte_class(value: int) -> ByteClass:
    """The class of one byte, 0 to 255."""
    if value == 0:
        return ByteClass.NULL
    if value in _WHITESPACE:
        return ByteClass.SPACE
    if value >= 0x80:
        return ByteClass.HIGH
    return ByteClass.PRINTABLE if 0x20 < value < 0x7F else ByteClass.CONTROL


def glyph(value: int) -> str:
    """How one byte reads in the text column: itself if printable, else the glyph of its class."""
    return " " if value == 0x20 else _GLYPHS.get(byte_class(value), chr(value))


HEX = tuple(f"{value:02x}" for value in range(256))
"""Two hex digits for each byte."""
TEXT = tuple(glyph(value) for value in range(256))
"""One printable character for each byte."""
CLASSES = bytes(byte_class(value) for value in range(256))
"""Translation table from a byte to its `ByteClass`."""


def offset_digits(length: int) -> int:
    """How many hex digits the offset column of ``length`` bytes needs: 4, 5, 6, 8 or 16."""
    last = max(length - 1, 0)
    return next(digits for digits in (4, 5, 6, 8, 16) if last < 1 << (4 * digits))


def row_width(per_row: int, digits: int) -> int:
    """Cells that a row takes: offset, a sign and two digits for each byte, gaps between eights, a last sign, text."""
    return digits + 1 + 3 * per_row + (per_row - 1) // 8 + 2 + per_row


def bytes_per_row(width: int, length: int) -> int:
    """16, 8 or 4: the most bytes whose row fits into ``width`` cells (4 if none fits)."""
    digits = offset_digits(length)
    return next((per_row for per_row in (16, 8) if row_width(per_row, digits) <= width), 4)
