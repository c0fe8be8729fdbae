"""The experiment pane: choose one, predict, watch it run on the tab's own lab, read the outcome.

It draws the events of a run and requests runs with messages; it knows no lab. When the width changes, everything is
laid out again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from netlab.lab.experiments.run_events import Finished, RunEvent, RunOutcome, Verdict
from netlab.lab.experiments.swim_lanes_text import SIDE_BY_SIDE
from netlab.topics.experiment import Experiment
from netlab.ui.experiments import experiment_text
from netlab.ui.experiments.experiment_text import TextRow
from netlab.ui.keys.hints import follow_keys, hint
from netlab.ui.widgets.closing import PaneClosed
from netlab.ui.widgets.formatting import Formatting
from netlab.ui.widgets.scrollback import Line, Scrollback, wrapped
from netlab.ui.widgets.scrolling import scroll_at_once

KEPT = 400
"""Events of a run that are shown; the oldest are dropped."""


class Stage(Enum):
    """What the pane shows."""

    LIST = "list"
    QUESTION = "question"
    RUNNING = "running"
    DONE = "done"


_TITLES = {
    Stage.LIST: "experiments",
    Stage.QUESTION: "experiment {name} ── predict",
    Stage.RUNNING: "experiment {name} ── running, ctrl+c stops",
    Stage.DONE: "experiment {name} ── {outcome}",
}
_CHOOSING = (Stage.LIST, Stage.QUESTION)


class ExperimentPane(Scrollback):
    """One topic's experiments: ``experiment`` is the current one, ``stage`` what is shown of it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"experiment--seen", "experiment--chosen"}
    DEFAULT_CSS = """
    ExperimentPane {
        background: $background; padding: 0 1; border-title-color: $foreground; scrollbar-gutter: stable;
        & > .experiment--seen { color: $text-success; }
        & > .experiment--chosen { background: $block-cursor-background; color: $block-cursor-foreground; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "choose", id="experiment.choose", tooltip="Choose the line at the cursor"),
        Binding("escape", "back", "back", id="experiment.back",
                tooltip="Go back to the list, or close the list; a run continues"),
        Binding("r", "again", "again", id="experiment.again", tooltip="Run it again"),
        Binding("n", "next", "next", id="experiment.next", tooltip="Go to the topic's next experiment"),
        Binding("v", "code", "its code", id="experiment.code",
                tooltip="Show the tutorial's code and the repaired version"),
        Binding("up,k", "move(-1)", "up", show=False, id="experiment.up", tooltip="Previous line; scroll up"),
        Binding("down,j", "move(1)", "down", show=False, id="experiment.down", tooltip="Next line; scroll down"),
        *(Binding(str(n), f"take({n})", f"choose {n}", show=False, id=f"experiment.take_{n}",
                  tooltip=f"Choose line {n}" if n else "Run without a prediction") for n in range(10)),
    ]  # fmt: skip

    @dataclass
    class RunRequested(Message):
        """The user wants to run an experiment."""

        experiment: Experiment

    class Backgrounded(Message):
        """The user leaves the pane while the experiment runs on."""

    @dataclass
    class CodeRequested(Message):
        """The user wants to read the code that the experiment is about."""

        experiment: Experiment

    def __init__(self, experiments: Sequence[Experiment], formatting: Formatting, verdicts: dict[str, Verdict]) -> None:
        """``verdicts`` are those of earlier runs, by name; they outlive the pane."""
        super().__init__(id="experiment")
        self._experiments, self._formatting, self._verdicts = experiments, formatting, verdicts
        self._happened: list[RunEvent] = []
        self._choices: list[int | None] = []
        self._cursor = 0
        self._here = False  # whether it has the focus
        self.stage = Stage.LIST
        self.experiment: Experiment | None = None
        self.prediction: int | None = None

    # Stages

    @property
    def running(self) -> bool:
        """Whether its experiment is running."""
        return self.stage is Stage.RUNNING

    def show_list(self) -> None:
        """Show all experiments, with the cursor on the last one."""
        self._cursor = self._experiments.index(self.experiment) if self.experiment else 0
        self._enter(Stage.LIST)

    def ask(self, experiment: Experiment) -> None:
        """Show an experiment's question and predictions."""
        self.experiment, self.prediction, self._cursor = experiment, None, 0
        self._enter(Stage.QUESTION)

    def add_events(self, events: Sequence[RunEvent]) -> None:
        """Draw new events. The view scrolls only if it was at the end."""
        if self.stage is not Stage.RUNNING or not events:
            return
        self._happened = [*self._happened, *events][-KEPT:]
        finished = [event for event in events if isinstance(event, Finished)]
        if finished and self.experiment is not None:
            self._verdicts[self.experiment.name] = finished[-1].verdict
            self._enter(Stage.DONE)
        else:
            self._redraw()

    def stopping(self) -> None:
        """Show that the run was asked to stop."""
        if self.stage is Stage.RUNNING and self.experiment is not None:
            self.border_title = f"experiment {self.experiment.name} ── stopping"

    def _run(self, prediction: int | None) -> None:
        if self.experiment is not None:
            self.prediction, self._happened = prediction, []
            self._enter(Stage.RUNNING)
            self.post_message(self.RunRequested(self.experiment))

    def _enter(self, stage: Stage) -> None:
        begins = self.stage is not stage and stage is not Stage.DONE
        self.stage = stage
        self._redraw(top=begins)
        self.refresh_bindings()

    @property
    def _verdict(self) -> Verdict | None:
        return self._verdicts.get(self.experiment.name) if self.experiment is not None else None

    # Drawing

    def on_mount(self) -> None:
        """Name keys only while they work."""
        follow_keys(self, self._name_keys)

    def _name_keys(self) -> None:
        if (here := self.screen.focused is self) is not self._here:
            self._here = here
            self._redraw()

    def on_resize(self, event: events.Resize) -> None:
        """Lay everything out again."""
        super().on_resize(event)
        self._redraw()

    def _redraw(self, *, top: bool = False) -> None:
        """Lay out all rows and scroll to the top, or stay; a view at the end follows the end."""
        name, verdict = self.experiment.name if self.experiment else "", self._verdict
        self.border_title = _TITLES[self.stage].format(name=name, outcome=verdict.outcome.value if verdict else "")
        if self.stage is Stage.LIST and (keys := hint(self, ("back", "closes"))):
            self.border_title = f"{self.border_title} ── {keys}"
        if not self._wrap_width:
            return
        rows = self._laid_out(self._wrap_width)
        follow = self.follows and not top and self.stage not in _CHOOSING
        lines = [(line, row.choice) for row in rows for line in wrapped(row.line, self._wrap_width)]
        self._lines.clear()
        self._lines.extend(row.line for row in rows)
        self._rows = [line for line, _ in lines]
        self._choices = [choice for _, choice in lines]
        self._resized(follow)
        if top:
            scroll_at_once(self, 0)
        if self.stage in _CHOOSING:
            self._choice_into_view()
            self.call_after_refresh(self._choice_into_view)  # a pane that got smaller has followed its end meanwhile
        elif self.stage is Stage.DONE and follow:
            self.call_after_refresh(self._verdict_into_view)

    def _laid_out(self, width: int) -> list[TextRow]:
        if self.stage is Stage.LIST or self.experiment is None:
            return experiment_text.listing(self._experiments, self._verdicts, self._cursor, width, self._here)
        if self.stage is Stage.QUESTION:
            return experiment_text.question(self.experiment, self._cursor, width, self._here)
        lines: list[Line] = experiment_text.beginning(self.experiment, self.prediction, width)
        beside = self.app.size.width >= SIDE_BY_SIDE
        lines += experiment_text.event_lines(self._happened, width, self._formatting, beside)
        if self.stage is Stage.DONE and self._verdict is not None:
            self._verdict_row = len(lines)
            lines += experiment_text.ending(self.experiment, self._verdict, self.prediction, width)
        return [TextRow(line) for line in lines]

    _verdict_row = 0

    def _verdict_into_view(self) -> None:
        """Scroll to the verdict, if it is not all in view."""
        if len(self._rows) - self._verdict_row > self.size.height:
            scroll_at_once(self, self._verdict_row + 1)

    def _choice_into_view(self) -> None:
        mine = [row for row, choice in enumerate(self._choices) if choice == self._cursor]
        if mine and self.size.height:
            first = 0 if not self._cursor else mine[0]
            last = len(self._rows) - 1 if self._cursor == max(filter(None, self._choices), default=0) else mine[-1]
            if last >= self.scroll_offset.y + self.size.height:
                scroll_at_once(self, last - self.size.height + 1)
            if first < self.scroll_offset.y:
                scroll_at_once(self, first)

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Which keys work at this stage."""
        stage, experiment = self.stage, self.experiment
        if action == "choose":
            return stage in _CHOOSING
        if action == "again":
            return stage is Stage.DONE
        if action == "next":
            return stage is Stage.DONE and experiment is not self._experiments[-1]
        if action == "code":
            quoted = experiment is not None and bool(experiment.quoted or experiment.repaired)
            return stage in (Stage.RUNNING, Stage.DONE) and quoted
        return True

    @property
    def _count(self) -> int:
        if self.stage is Stage.QUESTION and self.experiment is not None:
            return len(self.experiment.predictions)
        return len(self._experiments)

    def action_move(self, by: int) -> None:
        """Move the cursor; if there is nothing to choose, scroll."""
        if self.stage in _CHOOSING:
            self._cursor = min(max(self._cursor + by, 0), self._count - 1)
            self._redraw()
        else:
            self.scroll_relative(y=by, animate=False)

    def action_choose(self) -> None:
        """Choose the line at the cursor."""
        self.action_take(self._cursor + 1)

    def action_take(self, number: int) -> None:
        """Choose a line by its number; 0 runs without a prediction."""
        if self.stage is Stage.LIST and 1 <= number <= self._count:
            self.ask(self._experiments[number - 1])
        elif self.stage is Stage.QUESTION and number <= self._count:
            self._run(number - 1 if number else None)

    def action_again(self) -> None:
        """Run it again, with the same prediction."""
        self._run(self.prediction)

    def action_next(self) -> None:
        """Ask the next question."""
        if self.experiment is not None:
            self.ask(self._experiments[self._experiments.index(self.experiment) + 1])

    def action_code(self) -> None:
        """Show the code."""
        if self.experiment is not None:
            self.post_message(self.CodeRequested(self.experiment))

    def action_back(self) -> None:
        """Go one step back."""
        if self.stage is Stage.RUNNING:
            self.post_message(self.Backgrounded())
        elif self.stage is Stage.LIST:
            self.post_message(PaneClosed(self))
        else:
            self.show_list()

    def on_click(self, event: events.Click) -> None:
        """Choose the line under the pointer."""
        place = event.get_content_offset(self)
        row = place.y + self.scroll_offset.y if place is not None else -1
        if self.stage in _CHOOSING and 0 <= row < len(self._choices) and (choice := self._choices[row]) is not None:
            self.action_take(choice + 1)

    @property
    def outcome(self) -> RunOutcome | None:
        """How the last run of this experiment ended."""
        return self._verdict.outcome if self._verdict is not None else None
