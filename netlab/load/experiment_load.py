"""The loads of experiments: the topic's sample request on their lab, through the wire."""

from __future__ import annotations

from netlab.lab.experiments.observed_load import OnPoint
from netlab.lab.lab import Lab
from netlab.load.chosen_operation import operation_of
from netlab.load.histogram import refuse_without
from netlab.load.lab_load import load_on
from netlab.load.load_run import LoadRun
from netlab.load.plan import LoadPlan
from netlab.topics.experiment import Load


def experiment_load(lab: Lab, wanted: Load, on_point: OnPoint) -> LoadRun:
    """A load that an experiment wants. Raises `LabError` where it cannot be measured."""
    refuse_without()
    operation = operation_of(lab.topic, model=lab.state.model, own=lab.own.path is not None)
    plan = LoadPlan(operation, wanted.clients, wanted.rate, wanted.seconds, closed=wanted.closed, keep=wanted.kept)
    return load_on(lab, plan, on_point)
