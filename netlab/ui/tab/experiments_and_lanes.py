"""A tab's experiments and swim lanes: opens their panes, and updates them from the lab.

It stands between the panes, which know no lab, and the lab, which knows no screen. It imports the panes late, so that
the first tab serves earlier.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.capture.model import Endpoint, Transport
from netlab.ui.tab.panes import LabPanes

if TYPE_CHECKING:
    from netlab.lab.experiments.run_events import Verdict
    from netlab.topics.experiment import Experiment
    from netlab.ui.experiments.experiment_pane import ExperimentPane
    from netlab.ui.lanes.lanes_history import LanesHistory


NONE_HERE = "Experiments say what must be seen of a server that they know. The tabs 1 to 8 have some."


class ExperimentsAndLanes:
    """The experiment pane and the swim lanes of one tab."""

    def __init__(self, tab: LabPanes) -> None:
        self._tab, self._live = tab, tab.live
        self.experiments: tuple[Experiment, ...] = ()
        self._made_history: LanesHistory | None = None
        self._verdicts: dict[str, Verdict] = {}
        self._was_running = False

    def learn(self) -> None:
        """Import the topic's experiments."""
        try:
            self.experiments = self._tab.topic.experiments()
        except Exception as error:  # noqa: BLE001 - a topic's module may raise anything; the tab works without them
            self._tab.console.say(f"the experiments could not be loaded: {error}", error=True)
        self._tab.refresh_bindings()

    def offers(self, action: str) -> bool:
        """Whether there is something to show."""
        if action == "show_experiments":
            return bool(self.experiments) or self._tab.topic.attached
        return self._tab.topic.transport is Transport.TCP

    @property
    def experiment(self) -> ExperimentPane | None:
        """The experiment pane, mounted or about to be."""
        return self._tab.panes.experiment_slot.wanted

    @property
    def _history(self) -> LanesHistory:
        if self._made_history is None:
            from netlab.ui.lanes.lanes_history import LanesHistory

            self._made_history = LanesHistory(self._tab.lab, self._live.changes.turns, self._live.changes.runs)
        return self._made_history

    def meet(self) -> None:
        """Learn the clients' names for the swim lanes."""
        self._history.remember_clients()

    def look(self) -> None:
        """Draw the changes."""
        run = self._live.run
        if run is not None and self.experiment is not None:
            self.experiment.add_events(run.take())
        if (lanes := self._tab.panes.lanes_slot.pane) is not None:
            lanes.look()
        if self._live.running is not self._was_running:
            self._was_running = self._live.running
            self._tab.refresh_bindings()

    # Experiments

    def show_experiments(self) -> None:
        """Show the pane as it is; if it has the focus already, the list. An attachment has none, and that is said."""
        if self._tab.topic.attached:
            self._tab.notify(NONE_HERE, title="experiments", markup=False)
            return
        pane = self.experiment
        if pane is not None and pane.has_focus and not pane.running:
            pane.show_list()
        self._pane()

    def open_experiment(self, name: str) -> None:
        """Show an experiment's question; if one is running, show that run instead."""
        pane = self._pane()
        found = next((experiment for experiment in self.experiments if experiment.name == name), None)
        if found is not None and not pane.running:
            pane.ask(found)

    def _pane(self) -> ExperimentPane:
        from netlab.ui.experiments.experiment_pane import ExperimentPane

        panes = self._tab.panes
        pane = self.experiment
        if pane is None:
            pane = ExperimentPane(self.experiments, self._tab.formatting, self._verdicts)
            panes.experiment_slot.put(pane)
        panes.go("experiment")
        return pane

    def run(self, experiment: Experiment) -> None:
        """Run an experiment on this lab; one that needs certain models does not run against a person's own file."""
        if self._live.loading:
            self._tab.notify("A load runs on this lab. ctrl+c stops it.", title="experiments", markup=False)
            self._pane().ask(experiment)
            return
        own = self._tab.lab.own.path
        if own is not None and experiment.changes_model:
            text = f"{experiment.name} compares models, and {own.name} is one alone. :server goes back to the recipe."
            self._tab.notify(self._tab.formatting.text(text), title="experiments", markup=False)
            self._pane().ask(experiment)
            return
        self._live.perform(experiment)
        self.look()

    def stop(self) -> None:
        """Stop the run; the lab is restored."""
        if self._live.run is not None:
            self._live.run.stop()
            if self.experiment is not None:
                self.experiment.stopping()

    def show_code(self, experiment: Experiment) -> None:
        """Show the tutorial's code and the repaired version."""
        from netlab.ui.experiments.experiment_text import code
        from netlab.ui.reader.pages import Page
        from netlab.ui.reader.reader import ReaderPane

        page = Page(f"{self._tab.topic.name}/{experiment.name}: then, and repaired", code(experiment))
        self._tab.panes.reader_slot.put(ReaderPane(page))
        self._tab.panes.go("reader")

    # Swim lanes

    @property
    def clients_in_view(self) -> frozenset[Endpoint]:
        """The clients whose lanes are on the screen."""
        pane = self._tab.panes.lanes_slot.pane
        return pane.clients if pane is not None else frozenset()

    def toggle_lanes(self) -> None:
        """Show the swim lanes, or close them."""
        from netlab.ui.lanes.lanes_pane import LanesPane

        panes = self._tab.panes
        if panes.lanes_slot.wanted is not None:
            panes.put_away(panes.lanes_slot)
        else:
            panes.lanes_slot.put(LanesPane(self._history, self._tab.formatting))
            panes.go("lanes")
