"""Every experiment of every topic: well formed, and true on a real run."""

from __future__ import annotations

import re

import pytest

from netlab.lab.experiments.labs import FreshLabs
from netlab.lab.experiments.run_events import Expected, LabOpened, RunEvent, RunOutcome, Stepped
from netlab.lab.experiments.runner import perform
from netlab.load.experiment_load import experiment_load
from netlab.topics.contract import Topic
from netlab.topics.discovery import topics
from netlab.topics.experiment import Experiment

FOUND = [(topic, each) for topic in topics().values() for each in topic.experiments()]
each_experiment = pytest.mark.parametrize(
    ("topic", "experiment"), FOUND, ids=[f"{topic.name}/{each.name}" for topic, each in FOUND]
)


@each_experiment
def test_what_must_be_seen_is_seen(topic: Topic, experiment: Experiment) -> None:
    told: list[RunEvent] = []
    verdict = perform(experiment, FreshLabs(topic, make_load=experiment_load), told.append)
    crossed = [event for event in told if isinstance(event, Expected) and not event.seen]
    assert verdict.outcome is RunOutcome.SEEN, (verdict, crossed)
    assert any(isinstance(event, Stepped) for event in told)
    if not experiment.changes_model:
        assert len({event.model for event in told if isinstance(event, LabOpened)}) == 1, "it says that it needs one"


@each_experiment
def test_it_is_well_formed(topic: Topic, experiment: Experiment) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", experiment.name)
    assert "?" in experiment.question
    assert 2 <= len(experiment.predictions) <= 4
    assert len(set(experiment.predictions)) == len(experiment.predictions)
    assert 0 <= experiment.answer < len(experiment.predictions)
    assert 2 <= len(re.findall(r"[.!?](?=\s|$)", experiment.why)) <= 6
    assert bool(experiment.quoted) == bool(experiment.repaired)


def test_names_are_unique_in_a_topic() -> None:
    names = [(topic.name, experiment.name) for topic, experiment in FOUND]
    assert len(set(names)) == len(names)


def test_the_right_answer_is_not_always_in_the_same_place() -> None:
    """One who guesses by the place learns nothing."""
    assert len({experiment.answer for _, experiment in FOUND}) > 2
