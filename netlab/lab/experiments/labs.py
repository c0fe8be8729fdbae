"""Labs for experiments: new ones on free ports, or the one that runs in a tab, which is restored afterwards.

A tab's lab is used as it is, so its console, wire and log show what an experiment does.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from netlab.lab.experiments.observed_lab import ObservedLab
from netlab.lab.experiments.observed_load import MakeLoad
from netlab.lab.experiments.runner import CheckStop
from netlab.lab.experiments.swim_lanes import Board
from netlab.lab.experiments.where_stood import where_stood
from netlab.lab.lab import Lab
from netlab.lab.state import Phase
from netlab.lab.topic_options import Options, OptionValues
from netlab.topics.contract import Topic
from netlab.topics.experiment import ExperimentLab


class FreshLabs:
    """A new lab, on free ports, each time the experiment asks for one; one at a time."""

    def __init__(
        self, topic: Topic, certificates: Callable[[], Path] | None = None, make_load: MakeLoad | None = None
    ) -> None:
        self._topic, self._certificates, self._make_load = topic, certificates, make_load
        self._observed: ObservedLab | None = None

    def open(self, model: str | None, options: Mapping[str, object], check_stop: CheckStop) -> ExperimentLab:
        """Start a new lab and end the previous one."""
        self.close()
        lab = Lab(self._topic, model=model, options=options, certificates=self._certificates)
        with contextlib.ExitStack() as opening:
            opening.enter_context(lab)
            self._observed = ObservedLab(lab, check_stop, self._make_load)
            opening.pop_all()
        return self._observed

    def board(self, lab: ExperimentLab) -> Board:
        """The lanes of a lab of this run."""
        return _ours(lab).board()

    def where_stood(self, lab: ExperimentLab) -> tuple[str, ...]:
        """Where its server stands now."""
        return where_stood(_ours(lab).lab)

    def close(self) -> None:
        """End the lab."""
        if self._observed is not None:
            try:
                self._observed.end()
            finally:
                self._observed.lab.close()


@dataclass(frozen=True, slots=True)
class _Settings:
    """What is restored in a tab's lab after a run."""

    model: str
    options: OptionValues
    faults: tuple[str, ...]
    intercept: str
    serving: bool


class TabLab:
    """The lab of a tab, for one run after another. Its settings are restored after each.

    A run's clients stay in the tab, closed, so that their transcripts can be read. The next run removes them.
    """

    def __init__(self, lab: Lab, make_load: MakeLoad | None = None) -> None:
        self._lab, self._make_load = lab, make_load
        self._observed: ObservedLab | None = None
        self._before: _Settings | None = None

    def open(self, model: str | None, options: Mapping[str, object], check_stop: CheckStop) -> ExperimentLab:
        """Give the lab another model and other options; open flows are reset."""
        lab = self._lab
        self._remove_clients()
        if self._before is None:
            state = lab.state
            serving = state.phase is Phase.SERVING
            self._before = _Settings(state.model, lab.options.values_now(), state.faults, state.intercept, serving)
        lab.options.restore(Options(lab.topic, options).values_now())
        self._serve(model or lab.topic.models[0])
        lab.start()
        lab.wire.clear()
        lab.wire.release_all()
        self._observed = ObservedLab(lab, check_stop, self._make_load)
        return self._observed

    def board(self, lab: ExperimentLab) -> Board:
        """The lanes of a lab of this run."""
        return _ours(lab).board()

    def where_stood(self, lab: ExperimentLab) -> tuple[str, ...]:
        """Where its server stands now."""
        return where_stood(_ours(lab).lab)

    def close(self) -> None:
        """Close the clients of the run and restore the settings."""
        if self._observed is not None:
            self._observed.end()
        before, self._before = self._before, None
        if before is None:
            return
        self._lab.options.restore(before.options)
        if before.serving:
            self._lab.wire.replace(*before.faults)
            self._lab.wire.intercept(before.intercept)
        else:
            self._lab.stop()
        self._serve(before.model)

    def _serve(self, model: str) -> None:
        """Serve with the options as they are now, and this model, or the person's own file if that serves."""
        if self._lab.own.path is not None:
            self._lab.own.again()
        else:
            self._lab.set_model(model)

    def _remove_clients(self) -> None:
        if self._observed is not None:
            self._observed.end()
            for peer in self._observed.peers:
                peer.session.close()


def _ours(lab: ExperimentLab) -> ObservedLab:
    assert isinstance(lab, ObservedLab)
    return lab
