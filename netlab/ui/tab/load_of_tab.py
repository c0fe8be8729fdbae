"""A tab's loads: asks for one, starts it on the tab's lab, and shows it in its pane. It imports the pane late."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from netlab.dissect.text import safe
from netlab.lab.errors import LabError
from netlab.ui.tab.panes import LabPanes
from netlab.ui.widgets.chooser import Chooser, ChooserItem
from netlab.ui.widgets.saving import save_runs

if TYPE_CHECKING:
    from netlab.ui.load.load_pane import LoadPane
    from netlab.ui.load.load_request import LoadRequest
    from netlab.ui.load.shown_run import ShownRun
    from netlab.ui.load.tab_loads import TabLoads


class LoadOfTab:
    """The load pane of one tab, and its form."""

    def __init__(self, tab: LabPanes) -> None:
        self._tab, self._live = tab, tab.live
        self._was_loading = False

    @property
    def _loads(self) -> TabLoads:
        if self._live.loads is None:
            from netlab.ui.load.tab_loads import TabLoads

            self._live.loads = TabLoads(self._tab.lab, partial(self._tab.answer, None))
        return self._live.loads

    @property
    def _wanted(self) -> LoadPane | None:
        return self._tab.panes.load_slot.wanted

    def look(self) -> None:
        """Draw what is new."""
        if (pane := self._tab.panes.load_slot.pane) is not None and pane.region.area:
            pane.look()
        if self._live.loading is not self._was_loading:
            self._was_loading = self._live.loading
            self._tab.refresh_bindings()

    # From the user

    def show(self) -> None:
        """Show the last loads; if they have the focus already, or there are none, ask for one."""
        panes = self._tab.panes
        here = panes.pane_of(self._tab.screen.focused) == "load"
        if self._live.loading or (self._loads.runs and not here):
            self._pane()
        else:
            self.ask()

    def ask(self) -> None:
        """Ask for a load with the form."""
        from netlab.ui.load.load_form import LoadForm

        state = self._tab.lab.state
        own = self._tab.lab.own.path is not None
        form = LoadForm(self._tab.topic, self._loads.latest, state.model, own=own)
        self._tab.app.push_screen(form, self._asked)

    def _asked(self, request: LoadRequest | None) -> None:
        if request is not None:
            self._attempt(partial(self.start, request))

    def command(self, rest: str) -> None:
        """Do what ``:load`` asks for. Raises `LabError`."""
        from netlab.ui.load.load_request import USAGE, request_of

        if not rest:
            self.ask()
        elif rest == "stop":
            if not self._live.loading:
                raise LabError("no load runs", ":load starts one")
            self.stop()
        elif rest.split()[0] == "open":
            self.open(rest.partition(" ")[2].strip())
        else:
            try:
                request = request_of(rest, self._tab.topic)
                self.start(request)
            except ValueError as problem:
                raise LabError(str(problem), f":load {USAGE}") from None

    def start(self, request: LoadRequest, *, beside: bool = False) -> None:
        """Start a load and show it; ``beside``: next to the one before. Raises `LabError` or `ValueError`."""
        if self._live.running:
            raise LabError("an experiment runs on this lab", "ctrl+c stops it")
        self._loads.start(request)
        self._pane().show_newest(beside=beside or len(request.models) > 1)

    def stop(self) -> None:
        """Stop the load; what it has found so far stays."""
        self._loads.stop()

    # From the pane

    def again(self, run: ShownRun) -> None:
        """Run the same load once more: on this run's model, with its seed."""
        if (request := self._request_of(run)) is not None:
            self._attempt(partial(self.start, request))

    def beside(self, run: ShownRun) -> None:
        """Ask for another model, run the same load on it, and show both."""
        topic, request = self._tab.topic, self._request_of(run)
        others = [model for model in topic.models if model != run.name]
        if request is None or not others or self._tab.lab.own.path is not None:
            self._tab.notify("This server is one alone: it has no models to compare.", title="load", markup=False)
            return
        choices = [ChooserItem(model, model, "", topic.lacking(model)) for model in others]

        def chosen(answer: tuple[str, str] | None) -> None:
            if answer is not None:
                self._attempt(partial(self.start, _on(request, answer[1]), beside=True))

        self._tab.app.push_screen(Chooser(f"the same load as on {run.name}, on", choices), chosen)

    def forget(self, run: ShownRun) -> None:
        """Remove a run."""
        self._loads.forget(run.letter)

    def save(self, name: str) -> None:
        """Write the last runs to a new file."""
        from netlab.ui.load.saved_runs import as_json

        loads = self._loads
        runs = [(run, request) for run in loads.runs if (request := loads.request_of(run.letter)) is not None]
        text = as_json(self._tab.topic, runs).encode()
        save_runs(self._tab, Path(name).expanduser(), [memoryview(text)], "the loads")

    def open(self, name: str) -> None:
        """Show the runs of a file beside those of the tab. Raises `LabError`."""
        from netlab.ui.load.saved_runs import read

        path = Path(name).expanduser()
        try:
            self._loads.add(read(path, self._tab.topic))
        except (OSError, ValueError) as problem:
            words = problem.strerror if isinstance(problem, OSError) else str(problem)
            raise LabError(f"{safe(str(path))} was not read: {words}", "w in the load pane saves such a file") from None
        self._pane().show_newest(beside=False)

    def _request_of(self, run: ShownRun) -> LoadRequest | None:
        request = self._loads.request_of(run.letter)
        return _on(request, run.name) if request is not None and run.name in self._tab.topic.models else request

    def _attempt(self, action: Callable[[], None]) -> None:
        """Do it, or say why not."""
        try:
            action()
        except (LabError, ValueError) as problem:
            self._tab.notify(str(problem), title="load", severity="warning", markup=False)

    def _pane(self) -> LoadPane:
        """The pane, which is shown and gets the focus."""
        from netlab.ui.load.load_pane import LoadPane

        panes = self._tab.panes
        pane = self._wanted
        if pane is None:
            pane = LoadPane(lambda: self._loads.runs)
            panes.load_slot.put(pane)
        panes.go("load")
        return pane


def _on(request: LoadRequest, model: str) -> LoadRequest:
    from dataclasses import replace

    return replace(request, models=(model,))
