"""A bench's experiments and swim lanes: the panes come when they are wanted, and follow the lab while they are there.

It stands between the panes, which know no lab, and the lab, which knows no screen. What it needs is imported late, so
that the first tab serves earlier.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.capture.model import Transport
from netlab.ui.tab.panes import LabPanes

if TYPE_CHECKING:
    from netlab.lab.experiments.run_events import Verdict
    from netlab.topics.experiment import Experiment
    from netlab.ui.experiments.experiment_pane import ExperimentPane
    from netlab.ui.lanes.lanes_history import LanesHistory


class Observing:
    """The two panes of one bench."""

    def __init__(self, bench: LabPanes) -> None:
        self._bench, self._live = bench, bench.live
        self.experiments: tuple[Experiment, ...] = ()
        self._made_history: LanesHistory | None = None
        self._verdicts: dict[str, Verdict] = {}
        self._was_running = False

    def learn(self) -> None:
        """Import the topic's experiments."""
        try:
            self.experiments = self._bench.topic.experiments()
        except Exception as error:  # noqa: BLE001 - whatever a topic's module raises; the tab goes on without them
            self._bench.console.say(f"the experiments do not load: {error}", error=True)
        self._bench.refresh_bindings()

    def offers(self, action: str) -> bool:
        """Whether there is something to show or to stop."""
        if action == "show_experiments":
            return bool(self.experiments)
        return self._bench.topic.transport is Transport.TCP

    @property
    def experiment(self) -> ExperimentPane | None:
        """The pane of experiments that is there or coming."""
        return self._bench.panes.experiment_slot.wanted

    @property
    def _history(self) -> LanesHistory:
        if self._made_history is None:
            from netlab.ui.lanes.lanes_history import LanesHistory

            self._made_history = LanesHistory(self._bench.lab, self._live.news.turns, self._live.news.runs)
        return self._made_history

    def meet(self) -> None:
        """Learn the clients' names for the swim lanes, while there are any."""
        self._history.remember_clients()

    def look(self) -> None:
        """Draw what is new."""
        run = self._live.run
        if run is not None and self.experiment is not None:
            self.experiment.tell(run.take())
        if (lanes := self._bench.panes.lanes_slot.pane) is not None:
            lanes.look()
        if self._live.running is not self._was_running:
            self._was_running = self._live.running
            self._bench.refresh_bindings()

    # Experiments

    def show_experiments(self) -> None:
        """The pane as it is, or the list."""
        pane = self.experiment
        if pane is not None and pane.has_focus and not pane.running:
            pane.show_list()
        self._pane()

    def open_experiment(self, name: str) -> None:
        """The question of one; a run that is under way goes on, and is shown instead."""
        pane = self._pane()
        found = next((experiment for experiment in self.experiments if experiment.name == name), None)
        if found is not None and not pane.running:
            pane.ask(found)

    def _pane(self) -> ExperimentPane:
        from netlab.ui.experiments.experiment_pane import ExperimentPane

        panes = self._bench.panes
        pane = self.experiment
        if pane is None:
            pane = ExperimentPane(self.experiments, self._bench.presentation, self._verdicts)
            panes.experiment_slot.put(pane)
        panes.go("experiment")
        return pane

    def run(self, experiment: Experiment) -> None:
        """Run it on this lab."""
        self._live.perform(experiment)
        self.look()

    def stop(self) -> None:
        """Stop the run; the lab is put back."""
        if self._live.run is not None:
            self._live.run.stop()
            if self.experiment is not None:
                self.experiment.stopping()

    def show_code(self, experiment: Experiment) -> None:
        """The tutorial's own code beside the repaired form."""
        from netlab.ui.experiments.experiment_text import code
        from netlab.ui.reader.pages import Page
        from netlab.ui.reader.reader import Reader

        page = Page(f"{self._bench.topic.name}/{experiment.name}: then, and repaired", code(experiment))
        self._bench.panes.reader_slot.put(Reader(page))
        self._bench.panes.go("reader")

    # Swim lanes

    def toggle_lanes(self) -> None:
        """Show them, or put them away."""
        from netlab.ui.lanes.lanes_pane import LanesPane

        panes = self._bench.panes
        if panes.lanes_slot.wanted is not None:
            panes.put_away(panes.lanes_slot)
        else:
            panes.lanes_slot.put(LanesPane(self._history, self._bench.presentation))
            panes.go("lanes")
