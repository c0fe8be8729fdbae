"""Rows painted run by run look exactly like rows painted byte by byte, whatever lies over the bytes."""

from __future__ import annotations

from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st
from rich.segment import Segment
from rich.style import Style

from netlab.dissect.hexrows import row_width
from netlab.ui.bytes.byte_source import ViewSource
from netlab.ui.bytes.hex_row import Overlay, RowPainter
from netlab.ui.bytes.spans import ByteSpan, Spans

DIGITS = 4
ranges = st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda ends: (min(ends), max(ends)))
spans = st.lists(ranges, max_size=4).map(lambda found: Spans(ByteSpan(*each) for each in found))
overlays = st.builds(
    Overlay, cursor=st.integers(0, 60), match=ranges, field=ranges, fields=st.none() | spans, selection=ranges
)


def style_of(name: str, partial: bool) -> Style:
    return Style(meta={name: partial})


def cells(segments: list[Segment]) -> list[tuple[str, object]]:
    return [(character, segment.style.meta) for segment in segments if segment.style for character in segment.text]


@given(payload=st.binary(min_size=1, max_size=48), over=overlays, per_row=st.sampled_from([4, 8, 16]))
def test_by_run_is_by_byte(payload: bytes, over: Overlay, per_row: int) -> None:
    source, painter = ViewSource(memoryview(payload)), RowPainter(style_of)
    for start in range(0, len(payload), per_row):
        quick = painter.paint(source, start, per_row, DIGITS, over)
        with patch.object(painter, "_by_run", lambda runs, row, which: painter._by_byte(runs, row, which, {}, ())):
            slow = painter.paint(source, start, per_row, DIGITS, over)
        assert cells(quick) == cells(slow)


@given(payload=st.binary(min_size=1, max_size=48), over=overlays, per_row=st.sampled_from([4, 8, 16]))
def test_a_row_is_as_wide_as_it_says(payload: bytes, over: Overlay, per_row: int) -> None:
    painter = RowPainter(style_of)
    row = painter.paint(ViewSource(memoryview(payload)), 0, per_row, DIGITS, over)
    missing = max(per_row - len(payload), 0)
    assert sum(len(segment.text) for segment in row) == row_width(per_row, DIGITS) - missing
