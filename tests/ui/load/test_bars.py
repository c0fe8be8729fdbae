"""Bars, and the logarithmic scale of latencies."""

from __future__ import annotations

import pytest

from netlab.ui.load.bars import LogScale, bar, columns_of, spell


def test_a_bar_is_as_high_as_its_value_and_what_is_above_zero_is_seen() -> None:
    assert columns_of([0, None, 0.01, 5, 10], 10, 1) == ["  ▁▄▇"]
    assert columns_of([10, 5], 10, 2) == ["▇ ", "██"]


def test_nothing_is_drawn_of_nothing() -> None:
    assert columns_of([0, 0], 0, 2) == ["  ", "  "]
    assert bar(0, 10, 4) == ""


def test_a_bar_across() -> None:
    assert (bar(10, 10, 4), bar(5, 10, 4), bar(0.001, 10, 4)) == ("████", "██", "▏")


def test_a_scale_has_room_for_all_and_round_ends() -> None:
    scale = LogScale.of([0.0013, 0.45], 6)
    assert (round(scale.low, 6), round(scale.high, 6)) == (0.001, 0.5)
    assert (scale.row(0.0013), scale.row(0.45)) == (0, 5)
    assert (scale.row(0.0), scale.row(100.0)) == (0, 5)


@pytest.mark.parametrize("rows", [3, 5, 9, 16])
def test_each_power_of_ten_has_its_tick_in_the_row_where_it_is_drawn(rows: int) -> None:
    scale = LogScale.of([0.00012, 9.0], rows)
    labels = [scale.label(row) for row in range(rows)]
    assert labels[0] == "100 µs"
    for seconds, label in ((0.001, "1 ms"), (0.01, "10 ms"), (0.1, "100 ms"), (1.0, "1 s")):
        assert label not in labels or labels[scale.row(seconds)] == label


def test_of_no_values_or_of_one_there_is_a_scale_too() -> None:
    assert LogScale.of([], 4).row(0.5) == 3
    one = LogScale.of([0.001], 4)
    assert one.low < one.high


def test_durations_in_words() -> None:
    assert [spell(seconds) for seconds in (0.00031, 0.0012, 0.703, 2.1)] == ["310 µs", "1.2 ms", "703 ms", "2.1 s"]
