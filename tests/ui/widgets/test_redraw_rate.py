"""When a growing list is drawn, by a clock that the test moves."""

from __future__ import annotations

import itertools

import pytest

from netlab.ui.widgets.redraw_rate import AT_ONCE, FEW, FLOOD, LULL, OFTEN, SECONDS, RedrawRate


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("time.monotonic", clock)
    return clock


def test_what_comes_now_and_then_is_drawn_at_once(clock: Clock) -> None:
    rate = RedrawRate()
    for length in range(20):
        clock.now += 1 / OFTEN
        assert rate.look(length)
        assert not rate.look(length), "nothing is new"
        assert not rate.flooded


def test_what_goes_on_growing_is_drawn_so_often(clock: Clock) -> None:
    rate, drawn = RedrawRate(), 0
    for length in range(300):
        clock.now += 1 / 100
        drawn += rate.look(length)
        assert not rate.flooded
    assert 3 * OFTEN <= drawn <= 3 * OFTEN + AT_ONCE + 2


def test_a_flood_is_drawn_seldom_and_told_in_between(clock: Clock) -> None:
    rate, drawn, told = RedrawRate(), [], []
    rate.look(0)
    began = clock.now
    for length in range(FLOOD, 200 * FLOOD, FLOOD):
        clock.now += 1 / 30
        if rate.look(length):
            drawn.append(clock.now - began)
        elif rate.highlight_is_due():
            told.append(clock.now - began)
    assert rate.flooded
    assert all(after - before >= SECONDS for before, after in itertools.pairwise(drawn))
    assert len(drawn) == pytest.approx(199 / 30 / SECONDS, abs=1)
    assert len(told) == pytest.approx(len(drawn), abs=1)
    assert all(min(abs(each - other) for other in drawn) > SECONDS / 3 for each in told)


def test_the_end_of_a_flood_is_drawn_soon_and_told_once_more(clock: Clock) -> None:
    rate = RedrawRate()
    rate.look(0)
    clock.now += SECONDS
    assert rate.look(10 * FLOOD)
    assert rate.flooded
    clock.now += 0.01
    assert not rate.look(20 * FLOOD)
    clock.now += 2 * LULL
    assert rate.look(20 * FLOOD)
    assert not rate.flooded


def test_a_flood_that_was_drawn_to_its_last_line_is_told_once_more(clock: Clock) -> None:
    rate = RedrawRate()
    rate.look(0)
    clock.now += SECONDS
    assert rate.look(10 * FLOOD)
    clock.now += SECONDS
    assert [rate.highlight_is_due() for _ in range(3)] == [True, True, False]
    assert not rate.flooded


def test_another_list_is_no_flood(clock: Clock) -> None:
    rate = RedrawRate()
    rate.look(0)
    rate.forget()
    assert rate.look(FEW * 100)
    assert not rate.flooded
