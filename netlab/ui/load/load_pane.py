"""The load pane: the last runs of a tab, live, on one time axis. It can be frozen, zoomed, and laid over one another.

It knows no lab: what it needs of one it asks for in messages.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message

from netlab.ui.keys.hints import follow_keys, hint
from netlab.ui.load.load_chart import LoadChart
from netlab.ui.load.page import LoadPage, LoadView, page
from netlab.ui.load.run_table import plan_words
from netlab.ui.load.shown_run import ShownRun
from netlab.ui.load.time_axis import CLOSEST, TimeWindow
from netlab.ui.widgets.closing import PaneClosed
from netlab.ui.widgets.question import Question
from netlab.ui.widgets.saving import check_new_file

PERIOD = 0.1
"""The shortest time between two updates, in seconds."""
SHARE = 10
"""After an update, this many times its duration passes before the next."""
_EMPTY = (
    "No load yet. A load sends many requests to this tab's server, and shows here how long they take, and what "
    "becomes of its accept queue, its threads and what it has not read."
)


class LoadPane(Vertical):
    """The runs of one tab's loads."""

    DEFAULT_CSS = """
    LoadPane {
        height: 1fr; background: $background; border-top: solid $foreground 30%; border-title-color: $foreground;
        padding: 0 1;
        &:focus-within { border-top: heavy $accent; border-title-style: bold; }
        Question { dock: bottom; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "again", "again", id="load.again", tooltip="Run the same load again: same plan, same seed"),
        Binding("b", "beside", "other model", id="load.beside",
                tooltip="Run the same load on another model, and show both; this tab's model is restored"),
        Binding("x", "stop", "stop load", show=False, id="load.stop",
                tooltip="Stop the load; what it has found so far stays"),
        Binding("t", "next_view", "view", id="load.view",
                tooltip="Show one run, two beside each other, or all laid over each other"),
        Binding("space", "freeze", "freeze", show=False, id="load.freeze", tooltip="Freeze the picture, or continue"),
        Binding("equals_sign,plus", "zoom(2)", "zoom in", show=False, id="load.zoom_in",
                tooltip="Zoom in to twice as many columns per second"),
        Binding("minus", "zoom(-2)", "zoom out", show=False, id="load.zoom_out",
                tooltip="Zoom out to half as many columns per second"),
        Binding("left,h", "pan(-1)", "earlier", show=False, id="load.earlier"),
        Binding("right", "pan(1)", "later", show=False, id="load.later"),
        Binding("end", "whole", "whole", show=False, id="load.whole", tooltip="Show the whole axis"),
        Binding("up,k", "choose(-1)", "run above", show=False, id="load.up", tooltip="Choose another of the last runs"),
        Binding("down,j", "choose(1)", "run below", show=False, id="load.down"),
        Binding("w", "save", "save", show=False, id="load.save", tooltip="Save the last runs to a new file"),
        Binding("delete", "forget", "forget", show=False, id="load.forget", tooltip="Remove the chosen run"),
        Binding("escape", "close", "close", id="load.close", tooltip="Close the pane; a running load goes on"),
    ]  # fmt: skip

    @dataclass
    class AgainRequested(Message):
        """The user wants this run's load once more."""

        run: ShownRun

    @dataclass
    class BesideRequested(Message):
        """The user wants this run's load on another model."""

        run: ShownRun

    @dataclass
    class StopRequested(Message):
        """The user wants the running load to stop."""

    @dataclass
    class SaveRequested(Message):
        """The user wants the runs in a new file."""

        name: str

    @dataclass
    class ForgetRequested(Message):
        """The user wants this run removed."""

        run: ShownRun

    def __init__(self, runs: Callable[[], Sequence[ShownRun]]) -> None:
        super().__init__(id="load")
        self._read, self._runs = runs, tuple(runs())
        self._chart, self._question = LoadChart(), Question()
        self._letter = ""  # of the chosen run; empty: the newest
        self._view, self._window = LoadView.ONE, TimeWindow()
        self._page: LoadPage | None = None
        self._next = 0.0
        self.frozen = False

    def compose(self) -> ComposeResult:
        """The picture, and a question at its foot."""
        yield self._chart
        yield self._question

    def on_mount(self) -> None:
        """Name keys in the title only while they work."""
        follow_keys(self, self._update_title)

    def on_resize(self) -> None:
        """Fit the room."""
        self.call_after_refresh(self._lay_out)

    # What is shown

    @property
    def text(self) -> str:
        """All of it as text."""
        return self._chart.text

    @property
    def chosen(self) -> ShownRun | None:
        """The chosen run."""
        return self._runs[self._index] if self._runs else None

    @property
    def _index(self) -> int:
        letters = [run.letter for run in self._runs]
        return letters.index(self._letter) if self._letter in letters else len(letters) - 1

    @property
    def _under_way(self) -> bool:
        return any(run.result is None for run in self._runs)

    def show_newest(self, *, beside: bool) -> None:
        """Choose the newest run; ``beside``: show the one before it, too."""
        self._letter = ""
        self._view = LoadView.BESIDE if beside else LoadView.ONE
        self.frozen = False
        self._next = 0.0

    def look(self) -> None:
        """Update the picture, if it is time to."""
        begun = time.monotonic()
        if self.frozen or begun < self._next:
            return
        runs = tuple(self._read())
        if runs != self._runs:
            before, self._runs = [(run.letter, run.result) for run in self._runs], runs
            self._lay_out()
            if before != [(run.letter, run.result) for run in runs]:
                self.refresh_bindings()
        self._next = begun + max(PERIOD, (time.monotonic() - begun) * SHARE)

    def _lay_out(self) -> None:
        width, height = self._chart.room
        if not self._runs:
            self._page = None
            self._chart.show([((line, "words"),) for line in wrap(_EMPTY, width)])
        elif height:
            self._page = page(self._runs, self._index, self._view, self._window, (width, height))
            self._chart.show(self._page.rows)
        self._update_title()

    def _update_title(self) -> None:
        words = ["load"]
        if (run := self.chosen) is not None:
            words += [self._state(run), f"{run.name}, {plan_words(run)}"]
            words += [self._view.value] if self._view is not LoadView.ONE else []
            words += [f"×{self._window.zoom}"] if self._window.zoom > 1 else []
        words += [f"frozen{'; ' * bool(more := hint(self, ('freeze', 'continues')))}{more}"] if self.frozen else []
        title = " ── ".join(words)
        if title != self.border_title:
            self.border_title = title

    def _state(self, run: ShownRun) -> str:
        if run.result is not None:
            return "done" if run.result.complete else "ended early"
        at = run.points[-1].at if run.points else 0.0
        keys = hint(self, ("stop", "{} stops"))
        return f"running, {at:.0f} of {run.plan.seconds:g} s" + (f", {keys}" if keys else "")

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What depends on the runs and on the zoom; while a name is asked for, keys are its letters."""
        if self._question.asking:
            return False
        if action in ("again", "beside", "forget"):
            return (bool(self._runs) and not self._under_way) or None
        if action in ("next_view", "choose"):
            return len(self._runs) > 1 or None
        if action == "zoom":
            zoom = self._window.zoom
            return (bool(self._runs) and (zoom < CLOSEST if parameters[0] == 2 else zoom > 1)) or None
        if action == "save":
            return any(run.result is not None for run in self._runs) or None
        return True

    def action_freeze(self) -> None:
        """Freeze the picture, or continue."""
        self.frozen = not self.frozen
        self._update_title()
        self.look()

    def action_zoom(self, factor: int) -> None:
        """Zoom in (2) or out (-2)."""
        if self._page is not None:
            zoom = self._window.zoom
            self._see(self._page.axis.zoomed(zoom * 2 if factor > 0 else zoom // 2))

    def action_pan(self, way: int) -> None:
        """Scroll an eighth of the view to the left (-1) or right (1)."""
        if self._page is not None:
            axis = self._page.axis
            self._see(axis.moved(way * max(axis.columns // 8, 1)))

    def action_whole(self) -> None:
        """Show the whole axis."""
        self._see(TimeWindow())

    def _see(self, window: TimeWindow) -> None:
        self._window = window
        self._lay_out()
        self.refresh_bindings()

    def action_choose(self, step: int) -> None:
        """Choose the run above (-1) or below (1)."""
        if self._runs:
            index = min(max(self._index + step, 0), len(self._runs) - 1)
            self._letter = "" if index == len(self._runs) - 1 else self._runs[index].letter
            self._lay_out()

    def action_next_view(self) -> None:
        """Show one run, two beside each other, or all laid over each other."""
        views = list(LoadView)
        self._view = views[(views.index(self._view) + 1) % len(views)]
        self._lay_out()

    def action_again(self) -> None:
        """Run the same load again."""
        if self.chosen is not None:
            self.post_message(self.AgainRequested(self.chosen))

    def action_beside(self) -> None:
        """Run the same load on another model."""
        if self.chosen is not None:
            self.post_message(self.BesideRequested(self.chosen))

    def action_stop(self) -> None:
        """Stop the load."""
        self.post_message(self.StopRequested())

    def action_forget(self) -> None:
        """Remove the chosen run."""
        if self.chosen is not None:
            self.post_message(self.ForgetRequested(self.chosen))

    def action_save(self) -> None:
        """Ask for a new file's name."""
        self._question.ask("save", "save the runs to", "", check_new_file)

    def on_question_submitted(self, event: Question.Submitted) -> None:
        """Save the runs."""
        event.stop()
        self.post_message(self.SaveRequested(event.text))

    def on_question_changed(self, event: Question.Changed) -> None:
        """Nothing depends on it before enter."""
        event.stop()

    def action_close(self) -> None:
        """Close the pane."""
        self.post_message(PaneClosed(self))
