"""Search: what may be typed, and that it finds what `bytes.find` finds, also across blocks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlab.dissect import search
from netlab.dissect.search import PatternRefused, find_bytes, parse_offset, parse_pattern
from netlab.ui.bytes.byte_source import ViewSource


@pytest.mark.parametrize(
    ("typed", "pattern"),
    [
        ("Hello", b"Hello"),
        ("0x48 65", b"He"),
        ("hex 4865", b"He"),
        (r"b'\r\n'", b"\r\n"),
        ("ü", "ü".encode()),
        ("hexe", b"hexe"),
    ],
)
def test_patterns(typed: str, pattern: bytes) -> None:
    assert parse_pattern(typed) == pattern


@pytest.mark.parametrize("typed", ["", "0x4", "0xzz", "b'x", "b'é'", "x" * 5000])
def test_what_is_no_pattern_is_refused(typed: str) -> None:
    with pytest.raises(PatternRefused):
        parse_pattern(typed)


@pytest.mark.parametrize(
    ("typed", "offset"),
    [("16", 16), ("0x10", 16), ("+4", 14), ("-0xa", 0), ("50%", 50), ("100%", 99), ("0b11", 3), ("1_0", 10)],
)
def test_offsets(typed: str, offset: int) -> None:
    assert parse_offset(typed, 10, 100) == offset


@pytest.mark.parametrize("typed", ["", "100", "-11", "x", "+", "1.5", "infinity%", "nan%"])
def test_what_is_no_offset_is_refused(typed: str) -> None:
    with pytest.raises(PatternRefused):
        parse_offset(typed, 10, 100)


@given(st.binary(max_size=60), st.binary(min_size=1, max_size=4), st.integers(1, 9), st.booleans())
def test_it_finds_what_bytes_find(data: bytes, pattern: bytes, block: int, backward: bool) -> None:
    before, search.BLOCK = search.BLOCK, block
    try:
        found = find_bytes(ViewSource(memoryview(data)), pattern, 0, len(data), backward=backward)
    finally:
        search.BLOCK = before
    expected = data.rfind(pattern) if backward else data.find(pattern)
    assert found == (None if expected < 0 else expected)


def test_it_stops_when_told() -> None:
    asked: list[int] = []
    source = ViewSource(memoryview(bytes(search.BLOCK * 5)))
    assert find_bytes(source, b"x", 0, source.length, go_on=lambda done: bool(asked.append(done))) is None
    assert asked == [search.BLOCK]
