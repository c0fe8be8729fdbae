"""Hex rows: classes and widths."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlab.dissect.hexrows import (
    CLASSES,
    HEX,
    TEXT,
    ByteClass,
    byte_class,
    bytes_per_row,
    offset_digits,
    row_width,
)


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (0x00, ByteClass.NULL, "⋄"),
        (0x41, ByteClass.PRINTABLE, "A"),
        (0x7E, ByteClass.PRINTABLE, "~"),
        (0x20, ByteClass.SPACE, " "),
        (0x0A, ByteClass.SPACE, "_"),
        (0x1B, ByteClass.CONTROL, "•"),
        (0x7F, ByteClass.CONTROL, "•"),
        (0x80, ByteClass.HIGH, "×"),
        (0xFF, ByteClass.HIGH, "×"),
    ],
)
def test_classes_are_those_of_hexyl(value: int, kind: ByteClass, text: str) -> None:
    assert byte_class(value) is kind
    assert TEXT[value] == text


def test_every_cell_is_one_printable_character() -> None:
    assert all(len(text) == 1 and text.isprintable() for text in TEXT)
    assert [int(digits, 16) for digits in HEX] == list(range(256))
    assert bytes(range(256)).translate(CLASSES) == CLASSES


@pytest.mark.parametrize(
    ("length", "digits"),
    [(0, 4), (1, 4), (1 << 16, 4), ((1 << 16) + 1, 5), (1 << 20, 5), (1 << 24, 6), ((1 << 24) + 1, 8), (1 << 40, 16)],
)
def test_offsets_have_room(length: int, digits: int) -> None:
    assert offset_digits(length) == digits


@given(st.integers(20, 300), st.integers(0, 1 << 34))
def test_the_row_fits_or_is_the_narrowest(width: int, length: int) -> None:
    per_row = bytes_per_row(width, length)
    assert per_row == 4 or row_width(per_row, offset_digits(length)) <= width
    if per_row < 16:
        assert row_width(per_row * 2, offset_digits(length)) > width
