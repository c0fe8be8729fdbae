"""What a hex view marks of a view is what CPython reads through it: every element, its bytes, its index and value."""

from __future__ import annotations

import ast

from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style

from netlab.dissect.hexrows import row_width
from netlab.lab.views.coverage import Coverage, cover
from netlab.lab.views.element_text import subscript, value_of
from netlab.lab.views.looking import group_of
from netlab.ui.bytes.byte_source import ViewSource
from netlab.ui.bytes.covered import NOT_SHOWN, ROW, elements_in, grid_row, row_label, signs, tints
from netlab.ui.bytes.hex_row import Overlay, RowPainter

MEMORY = bytes(range(48))
steps = st.sampled_from([1, 2, 3, -1, -2])


@st.composite
def views(draw: st.DrawFn) -> memoryview:
    """A view of some bytes: a format, a grid or not, a step or not."""
    form = draw(st.sampled_from("BbHhIiQq"))
    start = draw(st.integers(0, 8))
    flat = memoryview(bytearray(MEMORY))[start : start + draw(st.integers(1, 5)) * 8].cast(form)
    if draw(st.booleans()) and len(flat) % 2 == 0:
        flat = flat.cast("B").cast(form, [len(flat) // 2, 2])  # type: ignore[call-overload]
    return flat[:: draw(steps)]


def covered_by(view: memoryview) -> Coverage:
    (facts,) = group_of("v", view).views
    found = cover(facts)
    assert found is not None
    return found


@given(views())
def test_the_bytes_of_every_element_are_marked_and_no_others(view: memoryview) -> None:
    covered = covered_by(view)
    shown = {at for element in covered.elements(0, 48) for at in range(element.start, element.end)}
    begins = elements_in(covered, 0, 48)
    assert {at for at, begin in enumerate(begins) if begin >= 0} == shown
    assert {at for at, sign in signs(covered, 0, begins).items() if sign == NOT_SHOWN} == set(range(48)) - shown
    assert {at for at, tint in enumerate(tints(covered, begins)) if tint < 0} == set(range(48)) - shown
    for start in range(0, 48, 16):  # a row at a time says the same
        assert elements_in(covered, start, start + 16) == begins[start : start + 16]


@given(views())
def test_index_and_value_are_pythons(view: memoryview) -> None:
    covered = covered_by(view)
    for element in covered.elements(0, 48):
        index = element.index[0] if view.ndim == 1 else element.index
        value = value_of(view.format, MEMORY[element.start : element.end])
        assert ast.literal_eval(value) == view[index], subscript(element.index)


def test_a_format_that_struct_does_not_know_is_shown_in_hex() -> None:
    assert value_of("w", b"a\0\0\0") == "0x61000000"
    assert (subscript((0, 1)), subscript((3,)), subscript(())) == ("[0, 1]", "[3]", "[()]")


def test_each_row_of_a_grid_has_its_index() -> None:
    grid = covered_by(memoryview(bytearray(64)).cast("B", [8, 8])[::-2])
    assert grid_row(grid) == 16
    assert [row_label(grid, at, 4) for at in (8, 24, 56, 0)] == ["[3]", "[2]", "[0]", ""]
    assert (row_label(grid, 8, 2), row_label(grid, 8, 0)) == ("3", "")


def test_rows_that_are_too_long_for_a_grid_are_marked() -> None:
    long = covered_by(memoryview(bytearray(72)).cast("B", [3, 24])[::2])
    begins = elements_in(long, 0, 72)
    assert {at for at, sign in signs(long, 0, begins, grid=False).items() if sign == ROW} == {0, 48}
    assert ROW not in signs(long, 0, begins).values()
    over = Overlay(cover=long, cursor=-1)
    painter = RowPainter(lambda name, partial: Style())
    row = painter.paint(ViewSource(memoryview(bytes(72))), 48, 16, 4, over)
    assert "".join(part.text for part in row).startswith("0030 ║00 00")


@given(views(), st.sampled_from([4, 8, 16]))
def test_a_row_says_without_colour_what_is_not_shown(view: memoryview, per_row: int) -> None:
    covered = covered_by(view)
    painter = RowPainter(lambda name, partial: Style(meta={name: partial}))
    shown = {at for element in covered.elements(0, 48) for at in range(element.start, element.end)}
    for start in range(0, 48, per_row):
        over = Overlay(cover=covered, cursor=-1)
        text = "".join(part.text for part in painter.paint(ViewSource(memoryview(MEMORY)), start, per_row, 4, over))
        assert len(text) == row_width(per_row, 4)
        for at in range(start, start + per_row):
            column = 5 + 3 * (at - start) + (at - start) // 8
            assert (text[column] == NOT_SHOWN) is (at not in shown)
            assert text[column + 1 : column + 3] == f"{MEMORY[at]:02x}"
