"""The loads of experiments: what they find, what stops them, and what they say where no load can be measured."""

from __future__ import annotations

import threading

import pytest

from netlab.lab.experiments.labs import FreshLabs
from netlab.lab.experiments.run_events import RunOutcome
from netlab.lab.experiments.runner import perform
from netlab.load import histogram
from netlab.load.experiment_load import experiment_load
from netlab.topics.discovery import topic_named
from netlab.topics.experiment import Load, Runner, RunningLoad
from tests.support.scripted_lab import Reported, experiment

LONG = Load(clients=2, rate=50, seconds=60)


def labs() -> FreshLabs:
    return FreshLabs(topic_named("tcp"), make_load=experiment_load)


def test_a_load_is_ended_with_what_it_has_found_and_stopped_with_the_run() -> None:
    loads, stop = list[RunningLoad](), threading.Event()

    def run(runner: Runner) -> None:
        lab = runner.lab("threading")
        first = lab.load(LONG)
        runner.expect("answers", lambda: sum(point.sent for point in first.points) > 3)
        found = first.end()
        assert 3 < found.done < 3000 and found.latency.p50 is not None
        loads.append(lab.load(LONG))
        runner.expect("points", lambda: bool(loads[0].points))
        stop.set()
        loads[0].wait()

    assert perform(experiment(run), labs(), Reported(), stop).outcome is RunOutcome.STOPPED
    assert len(loads[0].points) < 300
    assert not any(thread.name.startswith("load of") for thread in threading.enumerate())


def test_without_hdrhistogram_it_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(histogram, "find_spec", lambda name: None)
    verdict = perform(experiment(lambda runner: runner.lab().load(LONG)), labs(), Reported())
    assert verdict.outcome is RunOutcome.FAILED
    assert verdict.problem.startswith("a load is measured with hdrhistogram, which is not installed")
    assert "pip install hdrhistogram" in verdict.problem
