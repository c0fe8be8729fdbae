"""Spans over bytes: found at any offset, and the changed bytes of two runs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from netlab.dissect.fields import Field
from netlab.ui.bytes.spans import ByteSpan, Spans, changed_spans, field_spans

RAW = st.lists(st.builds(lambda a, n: ByteSpan(a, a + n), st.integers(-5, 60), st.integers(0, 9)))


@given(RAW, st.integers(0, 70), st.integers(0, 20))
def test_a_row_knows_what_each_byte_lies_in(raw: list[ByteSpan], start: int, count: int) -> None:
    spans = Spans(raw)
    row = spans.row(start, start + count)
    assert row == [spans.index_at(offset) for offset in range(start, start + count)]
    for offset in range(start, start + count):
        covered = any(span.start <= offset < span.end for span in raw)
        assert (spans.at(offset) is not None) == covered


def test_only_leaves_are_laid_over_the_bytes() -> None:
    inner = (Field("a", 0, 2, "u16", "1"), Field("b", 2, 5, "text", "x"))
    spans = field_spans([Field("whole", 0, 5, "message", "", inner), Field("rest", 5, 6, "u8", "0")])
    assert [spans.index_at(offset) for offset in range(7)] == [0, 0, 1, 1, 1, 2, -1]


@given(st.binary(max_size=30), st.binary(max_size=30))
def test_changed_bytes_are_those_that_differ(before: bytes, after: bytes) -> None:
    spans = changed_spans(memoryview(before), memoryview(after))
    changed = {i for i in range(len(after)) if spans.index_at(i) >= 0}
    assert changed == {i for i, value in enumerate(after) if i >= len(before) or before[i] != value}
