"""How a run of an experiment is told, judged, stopped and cleaned up: with scripted labs, no lab."""

from __future__ import annotations

import threading

import pytest

from netlab.lab.errors import LabError
from netlab.lab.experiments.run_events import (
    Awaited,
    Expected,
    Finished,
    LabOpened,
    LanesShown,
    RunOutcome,
    Shown,
    Stepped,
    Stood,
    Verdict,
)
from netlab.lab.experiments.runner import perform
from netlab.lab.experiments.swim_lanes import Board
from netlab.topics.experiment import Runner
from tests.support.scripted_lab import Reported, ScriptedLabs, experiment


def test_a_run_is_told_as_it_happens() -> None:
    def run(runner: Runner) -> None:
        lab = runner.lab("pool", max_frame=7, allow_none=False, secret=b"peekaboo")
        runner.step("One thing.")
        runner.expect("the queue is empty", lambda: lab.queue == 0)
        runner.show("a table")
        runner.show_lanes(lab)

    told, labs = Reported(), ScriptedLabs()
    verdict = perform(experiment(run), labs, told)
    assert told.happened == [
        LabOpened("pool", "max frame 7, allow none no, secret"),
        Stepped(1, "One thing."),
        Awaited(1, "the queue is empty"),
        Expected(1, "the queue is empty", True),
        Shown("a table"),
        LanesShown((Board("pool", (), 0),)),
        Finished(verdict),
    ]
    assert verdict == Verdict(RunOutcome.SEEN, 1, 0)
    assert labs.closed == 1


def test_what_is_not_seen_is_crossed_with_what_there_was_and_the_run_goes_on() -> None:
    def run(runner: Runner) -> None:
        assert not runner.expect("rain", lambda: False, 0.01, found=lambda: "sun")
        assert not runner.expect("snow", lambda: False, 0.01)
        assert runner.expect("sun", lambda: True)

    told = Reported()
    assert perform(experiment(run), ScriptedLabs(), told) == Verdict(RunOutcome.NOT_SEEN, 1, 2)
    expected = [each for each in told.happened if isinstance(each, Expected)]
    assert expected == [
        Expected(1, "rain", False, "sun"),
        Expected(2, "snow", False, "not within 0.01 s"),
        Expected(3, "sun", True),
    ]


def test_where_a_persons_server_stood_is_said_after_what_was_not_seen_and_after_an_error_but_not_twice() -> None:
    def run(runner: Runner) -> None:
        runner.expect("rain", lambda: False, 0.01)
        runner.lab()
        runner.expect("rain", lambda: False, 0.01)
        runner.expect("snow", lambda: False, 0.01)
        labs.stood = ("mine.py, line 8: while True:",)
        raise ValueError

    labs, told = ScriptedLabs(stood=("mine.py, line 7: sock.recv(1)",)), Reported()
    assert perform(experiment(run), labs, told).outcome is RunOutcome.FAILED
    said = [each for each in told.happened if isinstance(each, Expected | Stood)]
    assert [type(each) for each in said] == [Expected, Expected, Stood, Expected, Stood]
    assert said[2] == Stood(("mine.py, line 7: sock.recv(1)",))


def test_what_cannot_be_looked_at_yet_is_looked_at_again() -> None:
    answers = iter([KeyError("not there yet"), False, True])
    looks: list[object] = []

    def third_look() -> bool:
        looks.append(answer := next(answers))
        if isinstance(answer, Exception):
            raise answer
        return bool(answer)

    verdict = perform(experiment(lambda runner: runner.expect("it", third_look) and None), ScriptedLabs(), Reported())
    assert verdict.outcome is RunOutcome.SEEN
    assert len(looks) == 3


def test_an_error_in_a_look_is_what_there_was() -> None:
    told = Reported()
    perform(experiment(lambda runner: runner.expect("it", lambda: {}["a"], 0.01) and None), ScriptedLabs(), told)
    assert Expected(1, "it", False, "KeyError: 'a'") in told.happened


def test_a_crash_is_a_verdict_in_one_sentence() -> None:
    def run(runner: Runner) -> None:
        runner.lab().connect()

    labs = ScriptedLabs()
    verdict = perform(experiment(run), labs, Reported())
    assert verdict.outcome is RunOutcome.FAILED
    assert verdict.problem == "ConnectionRefusedError: [Errno 111] Connection refused"
    assert labs.closed == 1


def test_a_lab_that_does_not_start_is_a_verdict() -> None:
    trouble = LabError("the server could not start: no memory", "close something")
    verdict = perform(experiment(lambda runner: runner.lab() and None), ScriptedLabs(trouble=trouble), Reported())
    assert verdict.outcome is RunOutcome.FAILED
    assert verdict.problem.startswith("the server could not start: no memory")


def test_an_experiment_that_expects_nothing_has_failed() -> None:
    verdict = perform(experiment(lambda runner: runner.step("Nothing.")), ScriptedLabs(), Reported())
    assert verdict.outcome is RunOutcome.FAILED


def test_a_crash_beside_crossed_expectations_keeps_their_count() -> None:
    def run(runner: Runner) -> None:
        runner.expect("rain", lambda: False, 0.0)
        raise ValueError("two\nlines")

    assert perform(experiment(run), ScriptedLabs(), Reported()) == Verdict(
        RunOutcome.FAILED, 0, 1, "ValueError: two lines"
    )


def test_a_stop_is_heard_at_the_next_step() -> None:
    stop = threading.Event()
    told = Reported()

    def run(runner: Runner) -> None:
        runner.step("One.")
        stop.set()
        runner.step("Two.")

    labs = ScriptedLabs()
    verdict = perform(experiment(run), labs, told, stop)
    assert verdict.outcome is RunOutcome.STOPPED
    assert told.happened == [Stepped(1, "One."), Finished(verdict)]
    assert labs.closed == 1


def test_a_stop_is_heard_while_waiting() -> None:
    stop = threading.Event()

    def stop_when_awaited(event: object) -> None:
        if isinstance(event, Awaited):
            stop.set()

    run = experiment(lambda runner: runner.expect("the end of time", lambda: False, 3600) and None)
    verdict = perform(run, ScriptedLabs(), Reported(react=stop_when_awaited), stop)
    assert verdict == Verdict(RunOutcome.STOPPED, 0, 0)


def test_an_experiment_cannot_catch_the_stop() -> None:
    stop = threading.Event()
    stop.set()

    def run(runner: Runner) -> None:
        while True:
            try:
                runner.step("Again.")
            except Exception:  # noqa: BLE001 - this is what is tried
                continue

    assert perform(experiment(run), ScriptedLabs(), Reported(), stop).outcome is RunOutcome.STOPPED


def test_an_interrupt_leaves_nothing_running() -> None:
    def run(runner: Runner) -> None:
        raise KeyboardInterrupt

    labs = ScriptedLabs()
    with pytest.raises(KeyboardInterrupt):
        perform(experiment(run), labs, Reported())
    assert labs.closed == 1


def test_nothing_that_is_told_steers_a_terminal() -> None:
    def run(runner: Runner) -> None:
        runner.show("\x1b[2J\nsecond row")
        runner.expect("it", lambda: False, 0.0, found=lambda: "\x1b]0;title\x07")

    told = Reported()
    perform(experiment(run), ScriptedLabs(), told)
    assert told.happened[0] == Shown("␛[2J\nsecond row")
    assert told.happened[2] == Expected(1, "it", False, "␛]0;title␇")
