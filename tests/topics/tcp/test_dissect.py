"""TCP's fields: lines, bytes, and characters that a segment's border cuts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlab.capture.model import Direction
from netlab.dissect.lines import MOST_LINES, dissect


def fields(data: bytes, offset: int = 0) -> list[tuple[str, int, int, str, str]]:
    found = dissect(memoryview(data), Direction.TO_SERVER, offset).fields
    return [(field.name, field.start, field.end, field.kind, field.value) for field in found]


@pytest.mark.parametrize(
    ("data", "want"),
    [
        (b"", []),
        (b"Hello", [("payload", 0, 5, "text", "'Hello'")]),
        (b"Hello\n", [("line 1", 0, 6, "text", "'Hello\\n'")]),
        (b"a\r\nb", [("line 1", 0, 3, "text", "'a\\r\\n'"), ("line 2", 3, 4, "text", "'b'")]),
        (b"\x00\xff", [("payload", 0, 2, "bytes", "00 ff")]),
        (b"\xff\xfe", [("payload", 0, 2, "bytes", "ff fe")]),
    ],
)
def test_lines_and_bytes(data: bytes, want: list[tuple[str, int, int, str, str]]) -> None:
    assert fields(data) == want


def test_a_character_cut_at_the_end_waits_for_its_rest() -> None:
    data = "5 €".encode()[:-1]
    assert fields(data)[-1] == ("begin of a character", 2, 4, "utf-8", "e2 82")
    assert dissect(memoryview(data), Direction.TO_SERVER, 0).needs == 1


def test_a_character_cut_at_the_begin_belongs_to_the_segment_before() -> None:
    data = "€ 5".encode()[1:]
    assert fields(data, offset=1)[0] == ("end of a character", 0, 2, "utf-8", "82 ac")
    assert fields(data, offset=0) == [("payload", 0, 4, "bytes", "82 ac 20 35")]


def test_lines_and_looked_at_bytes_are_bounded() -> None:
    found = fields(b"\n" * 1_000_000)
    assert len(found) == MOST_LINES + 2
    assert [field[0] for field in found[-2:]] == ["more lines", "rest"]
    assert found[-1][2] == 1_000_000


@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"])), cut=st.integers(0, 50))
def test_text_cut_anywhere_is_still_text(text: str, cut: int) -> None:
    data = text.encode()
    for part, offset in ((data[:cut], 0), (data[cut:], cut)):
        assert all(kind != "bytes" or len(part) <= 3 for _, _, _, kind, _ in fields(part, offset))


@given(data=st.binary())
def test_fields_cover_all_bytes_in_order(data: bytes) -> None:
    position = 0
    for _, start, end, _, _ in fields(data):
        assert start == position
        position = end
    assert position == len(data)
