"""Timers: each is called once in its time, and what is taken back leaves nothing behind."""

import math

import pytest

from netlab.wire import loop as module
from netlab.wire.loop import Alarm, Loop


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def rung(loop: Loop, clock: Clock, until: float) -> None:
    clock.now = until
    loop._call_due()


def test_an_alarm_rings_once_at_the_earliest_time(clock: Clock) -> None:
    loop, heard = Loop(), list[float]()
    alarm = Alarm(loop, lambda: heard.append(clock.now))
    for when in (9.0, 5.0, 7.0, math.inf):
        alarm.ring_by(when)
    assert loop.timers == 1
    rung(loop, clock, 4.9)
    assert heard == []
    rung(loop, clock, 5.0)
    rung(loop, clock, 20.0)
    assert heard == [5.0] and loop.timers == 0
    alarm.ring_by(21.0)
    rung(loop, clock, 21.0)
    assert heard == [5.0, 21.0]


def test_an_alarm_that_is_switched_off_does_not_ring(clock: Clock) -> None:
    loop, heard = Loop(), list[float]()
    alarm = Alarm(loop, lambda: heard.append(clock.now))
    alarm.ring_by(1.0)
    alarm.switch_off()
    alarm.switch_off()
    rung(loop, clock, 2.0)
    assert heard == [] and loop.timers == 0
    alarm.ring_by(3.0)
    rung(loop, clock, 3.0)
    assert heard == [3.0]


def test_what_is_taken_back_does_not_pile_up(clock: Clock) -> None:
    loop, heard = Loop(), list[int]()
    kept = [Alarm(loop, lambda n=n: heard.append(n)) for n in range(10)]
    for n, alarm in enumerate(kept):
        alarm.ring_by(1.0 + n)
    busy = Alarm(loop, lambda: heard.append(-1))
    for n in range(10_000):
        busy.ring_by(1000.0 + n)
        busy.switch_off()
    assert len(loop._timers) < 200 and len(loop._void) < 200
    rung(loop, clock, 2000.0)
    assert heard == list(range(10))
