"""The time axis of a load: its ruler, zoom and window."""

from __future__ import annotations

import pytest

from netlab.ui.load.time_axis import CLOSEST, TimeAxis, TimeWindow


def test_the_ruler_names_round_seconds() -> None:
    line, labels = TimeAxis(10.0, 60).ruler()
    assert labels == "0 s         2 s         4 s         6 s         8 s"
    assert [column for column, glyph in enumerate(line) if glyph == "┬"] == [0, 12, 24, 36, 48]


@pytest.mark.parametrize("zoom", [1, 2, 7, CLOSEST])
@pytest.mark.parametrize("columns", [4, 30, 113])
def test_a_label_stands_where_its_second_is(zoom: int, columns: int) -> None:
    axis = TimeAxis(7.3, columns, TimeWindow(zoom, 1.1))
    line, labels = axis.ruler()
    assert len(line) == columns and len(labels) <= columns
    for label in labels.split(" s"):
        if label.strip():
            column = labels.index(label.strip())
            assert abs(axis.time(column) - float(label)) <= axis.span / columns


def test_zooming_in_at_the_end_stays_there_and_the_whole_has_no_beginning_to_move() -> None:
    axis = TimeAxis(10.0, 50)
    near = TimeAxis(10.0, 50, axis.zoomed(4))
    assert (near.begin, near.span) == (7.5, 2.5)
    assert axis.moved(-10) == TimeWindow(1, None)


def test_moving_left_and_right_ends_at_the_ends() -> None:
    axis = TimeAxis(10.0, 50, TimeWindow(2, 4.0))
    assert TimeAxis(10.0, 50, axis.moved(-1000)).begin == 0.0
    assert axis.moved(1000).begin is None
    assert TimeAxis(10.0, 50, axis.moved(10)).begin == 5.0


def test_zooming_keeps_the_middle_and_has_limits() -> None:
    axis = TimeAxis(10.0, 50, TimeWindow(2, 2.0))
    near = TimeAxis(10.0, 50, axis.zoomed(4))
    assert near.begin + near.span / 2 == pytest.approx(axis.begin + axis.span / 2)
    assert (axis.zoomed(1000).zoom, axis.zoomed(0).zoom) == (CLOSEST, 1)
