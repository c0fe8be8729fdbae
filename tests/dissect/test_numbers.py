"""Numbers and characters at the cursor, against `int.from_bytes` and Python's own decoder."""

from __future__ import annotations

import sys

from hypothesis import given
from hypothesis import strategies as st

from netlab.dissect.numbers import character_at, numbers_at


@given(st.binary(max_size=12))
def test_integers_are_what_python_says(data: bytes) -> None:
    for number in numbers_at(memoryview(data)):
        if number.name[0] in "ui":
            signed = number.name[0] == "i"
            assert int(number.big) == int.from_bytes(data[: number.size], "big", signed=signed)
            assert int(number.little) == int.from_bytes(data[: number.size], "little", signed=signed)


def test_all_ten_are_there_with_eight_bytes_and_fewer_with_fewer() -> None:
    names = " ".join(number.name for number in numbers_at(memoryview(bytes(8))))
    assert names == "u8 i8 u16 i16 u32 i32 u64 i64 f32 f64"
    assert [n.name for n in numbers_at(memoryview(b"ab"))] == ["u8", "i8", "u16", "i16"]
    assert numbers_at(memoryview(b"")) == ()


def test_floats_in_both_orders() -> None:
    numbers = {n.name: n for n in numbers_at(memoryview(bytes.fromhex("3fc0000000000000")))}
    assert numbers["f32"].big == "1.5"
    assert numbers["f64"].big == "0.125"
    assert numbers["f32"].little != "1.5"


@given(st.characters(exclude_categories=["Cs"]), st.binary(max_size=4))
def test_a_character_is_found_whatever_follows(char: str, after: bytes) -> None:
    words = character_at(memoryview(char.encode() + after)).words
    assert f"U+{ord(char):04X}" in words
    assert words.isprintable()


@given(st.binary(max_size=6))
def test_any_bytes_give_words(data: bytes) -> None:
    words = character_at(memoryview(data)).words
    assert words and words.isprintable()


def test_what_is_no_character_says_why() -> None:
    assert character_at(memoryview(b"\x80")).words == "no character begins here"
    assert character_at(memoryview(b"\xe2\x82")).words == "not UTF-8: cut short"
    assert character_at(memoryview(b"\xe2A\x82")).words == "not UTF-8: wrong continuation"
    assert character_at(memoryview(b"")).words == "no byte here"
    assert sys.maxunicode == 0x10FFFF
