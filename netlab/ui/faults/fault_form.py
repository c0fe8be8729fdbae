"""The fault form: choose a fault, its numbers, direction and segments. A fault acts as soon as it is added."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from netlab.capture.model import Direction
from netlab.dissect.text import safe
from netlab.ui.faults.fault_draft import Draft, Which
from netlab.ui.keys.late_paint import LateModal
from netlab.ui.keys.type_ahead_input import TypeAheadInput
from netlab.ui.lab_thread import LiveLab
from netlab.ui.widgets.chooser import entry
from netlab.wire.impairment import own_fault

WAYS: tuple[Direction | None, ...] = (None, Direction.TO_SERVER, Direction.TO_CLIENT)
_COUNTS = {Which.ALL: "", Which.SOME: "30", Which.FIRST: "3", Which.FIRST_EACH: "3", Which.EVERY: "2"}
_BESIDE = 28
"""Cells of a row besides the words: border, label, and the field after them."""
_OWN = "FILE.py"
_NONE = "no fault is active"
_PERIOD = 0.1  # seconds between two polls of the active faults


class Pick(Widget, can_focus=True):
    """A row of a few words; ← and → choose one."""

    DEFAULT_CSS = """
    Pick { width: auto; height: 1; }
    Pick:focus { background: $block-cursor-background; color: $block-cursor-foreground; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "turn(-1)", "before", show=False, id="fault.before"),
        Binding("right,l,space", "turn(1)", "next", show=False, id="fault.next"),
        Binding("enter", "screen.add", "add", show=False, id="fault.add_here"),
    ]

    chosen = reactive(0, layout=True)

    @dataclass
    class Turned(Message):
        """The user chose another word."""

        pick: Pick

    def __init__(self, words: Sequence[str], *, id: str) -> None:
        super().__init__(id=id)
        self._words = words

    def action_turn(self, step: int) -> None:
        """Choose the next word; after the last, the first."""
        self.chosen = (self.chosen + step) % len(self._words)
        self.post_message(self.Turned(self))

    def render(self) -> Content:
        """The words, with the chosen one in angle quotes; if they do not fit, only that one and its position."""
        if sum(len(word) + 3 for word in self._words) > self.app.size.width - _BESIDE:
            place = f"  {self.chosen + 1} of {len(self._words)}"
            return Content.assemble((f"‹{self._words[self.chosen]}›", "bold"), place)
        parts = [
            Content.styled(f"‹{word}›", "bold") if index == self.chosen else Content(f" {word} ")
            for index, word in enumerate(self._words)
        ]
        return Content(" ").join(parts)


class NumbersInput(TypeAheadInput):
    """A line to type numbers into. ``F`` is not part of any number, so it clears the faults from here, too."""

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Consume everything but ``F``."""
        return character != "F" and super().check_consume_key(key, character)


class FaultForm(LateModal[None]):
    """Adds, removes and clears the faults of one lab while traffic flows."""

    DEFAULT_CSS = """
    FaultForm { align: center middle; }
    FaultForm > Vertical {
        width: 78; max-width: 98%; height: auto; max-height: 98%; border: round $accent; background: $surface;
        border-title-style: bold; border-subtitle-color: $text-muted; padding: 0 1;
    }
    FaultForm Horizontal { height: 1; }
    FaultForm Horizontal > .label { width: 9; color: $text-muted; }
    FaultForm Input { width: 24; height: 1; border: none; padding: 0 1; background: $boost; }
    FaultForm Input:focus { border: none; background-tint: $foreground 12%; }
    FaultForm #fault-filter { width: 1fr; }
    FaultForm #fault-count { width: 10; margin-left: 1; }
    FaultForm #fault-usage { width: 1fr; padding-left: 1; color: $text-muted; }
    FaultForm OptionList, FaultForm OptionList:focus {
        height: auto; border: none; background: $surface; padding: 0; scrollbar-size-vertical: 1;
    }
    FaultForm #fault-kinds { max-height: 8; }
    FaultForm #fault-active { max-height: 4; }
    FaultForm #fault-verdict { height: 2; margin: 0; color: $text-success; }
    FaultForm #fault-verdict.-wrong { color: $text-error; }
    FaultForm .heading { color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f", "dismiss(None)", "close", show=False, id="fault.close"),
        Binding("F", "clear", "clear all", show=False, priority=True, id="fault.clear_here"),
        Binding("delete,x,d", "remove", "remove", show=False, id="fault.remove"),
    ]

    @dataclass
    class RequestEnded(Message):
        """The lab has done what was requested, or raised ``error``."""

        error: Exception | None

    def __init__(self, live: LiveLab) -> None:
        super().__init__()
        self._live, self._wire = live, live.lab.wire
        self._kinds = (*self._wire.kinds, own_fault.OWN)
        self._active: tuple[str, ...] | None = None
        self._draft = Draft.example(self._kinds[0])
        self._added: Draft | None = None

    def compose(self) -> ComposeResult:
        """The kinds, the fields of one, the command that it makes, and the active faults."""
        with Vertical() as box:
            box.border_title = f"faults on the wire: {self._live.topic.title}"
            kinds = map(Option, self._entries(self.app.size.width))
            yield OptionList(*kinds, id="fault-kinds", markup=False)
            yield from self._field("numbers", NumbersInput(id="fault-numbers", compact=True, select_on_focus=False),
                                   Static("", id="fault-usage", markup=False))  # fmt: skip
            yield from self._field("way", Pick(("both", "→ to server", "← to client"), id="fault-way"))
            yield from self._field("acts on", Pick([which.value for which in Which], id="fault-which"),
                                   NumbersInput(id="fault-count", compact=True, select_on_focus=False))  # fmt: skip
            example = "a filter as in the wire list: 'Hello' or >100"
            yield from self._field("only if", TypeAheadInput(id="fault-filter", compact=True, placeholder=example))
            yield Static("", id="fault-verdict", markup=False)
            yield Static("active faults, in the order in which they act", classes="heading", markup=False)
            yield OptionList(id="fault-active", markup=False)

    def _entries(self, columns: int) -> list[Content]:
        """The kinds on a screen of so many columns."""
        width = max(len(kind.name) for kind in self._kinds)
        room = min(78, columns * 98 // 100) - 5  # without border, padding and scrollbar
        return [entry((kind.name or _OWN).ljust(width), kind.help, room) for kind in self._kinds]

    def on_resize(self, event: events.Resize) -> None:
        """Wrap the lines for the new width."""
        kinds = self.query_one("#fault-kinds", OptionList)
        for index, line in enumerate(self._entries(event.size.width)):
            kinds.replace_option_prompt_at_index(index, line)
        self._name_keys(self.focused)

    def _field(self, label: str, *widgets: Widget) -> ComposeResult:
        with Horizontal():
            yield Static(label, classes="label", markup=False)
            yield from widgets

    def on_mount(self) -> None:
        """Show the first kind, and follow the active faults."""
        for line in self.query(TypeAheadInput):
            line.cursor_blink = False
        self._fill(self._draft)
        self._look()
        self.set_interval(_PERIOD, self._look)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Name the keys that work where the focus is."""
        self._name_keys(event.widget)

    def _name_keys(self, focused: Widget | None) -> None:
        enter = "enter changes" if focused is not None and focused.id == "fault-active" else "enter adds"
        keys = [enter, *([] if isinstance(focused, Input) else ["del removes"]), "F clears all", "esc closes"]
        self.query_one(Vertical).border_subtitle = ("   " if self.app.size.width >= 80 else "  ").join(keys)

    # The draft

    def _fill(self, draft: Draft) -> None:
        """Put a fault into the fields."""
        self._draft = draft
        with self.prevent(Input.Changed, OptionList.OptionHighlighted):
            self.query_one("#fault-kinds", OptionList).highlighted = self._kinds.index(draft.kind)
            self.query_one("#fault-numbers", Input).value = draft.numbers
            self.query_one("#fault-count", Input).value = draft.count
            self.query_one("#fault-filter", Input).value = draft.filter
        self.query_one("#fault-way", Pick).chosen = WAYS.index(draft.way)
        self.query_one("#fault-which", Pick).chosen = list(Which).index(draft.which)
        self.query_one("#fault-usage", Static).update(Content(draft.kind.usage or "no numbers"))
        self._judge()

    def _read(self) -> None:
        """Read the fields into the draft."""
        self._draft = replace(
            self._draft,
            numbers=self.query_one("#fault-numbers", Input).value,
            way=WAYS[self.query_one("#fault-way", Pick).chosen],
            which=list(Which)[self.query_one("#fault-which", Pick).chosen],
            count=self.query_one("#fault-count", Input).value,
            filter=self.query_one("#fault-filter", Input).value,
        )
        self._judge()

    def _judge(self) -> None:
        """Show the draft as a console line, or what is wrong with it."""
        count = self.query_one("#fault-count")
        count.display = self._draft.which is not Which.ALL
        problem = self._draft.problem(self._live.topic.transport)
        asked = "\n  ".join(filter(None, (f":fault {self._draft.spec}", self._draft.counted)))
        self._say(problem or asked, wrong=bool(problem))

    def _say(self, text: str, *, wrong: bool) -> None:
        verdict, shown = self.query_one("#fault-verdict", Static), safe(text, keep="\n")
        verdict.set_class(wrong, "-wrong")
        verdict.update(Content(f"{'✗' if wrong else '✓'} {shown}"))

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Show the example of the highlighted kind."""
        event.stop()
        if event.option_list.id == "fault-kinds" and self._kinds[event.option_index] is not self._draft.kind:
            self._fill(Draft.example(self._kinds[event.option_index]))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Check the text at each key."""
        event.stop()
        self._read()

    def on_pick_turned(self, event: Pick.Turned) -> None:
        """The direction or the segments changed; suggest a count for the latter."""
        event.stop()
        count = self.query_one("#fault-count", Input)
        if event.pick.id == "fault-which":
            with self.prevent(Input.Changed):
                count.value = _COUNTS[list(Which)[event.pick.chosen]]
        self._read()

    # Requests to the lab

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Add the fault."""
        event.stop()
        self.action_add()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Add the highlighted kind, or move an active fault into the fields to change it."""
        event.stop()
        if event.option_list.id == "fault-kinds":
            self.action_add()
        elif self._active:
            self._fill(Draft.of(self._active[event.option_index]))
            self.action_remove()
            self.query_one("#fault-numbers").focus()

    def action_add(self) -> None:
        """Add the fault, unless it is invalid or active already: a second enter is a mistake."""
        if self._draft.problem(self._live.topic.transport):
            return
        if self._draft == self._added or self._draft in map(Draft.of, self._active or ()):
            self._say(f":fault {self._draft.spec} is active already; change it to add another", wrong=False)
            return
        self._added = self._draft
        self._ask(partial(self._wire.fault, self._draft.spec))

    def action_remove(self) -> None:
        """Remove the highlighted active fault."""
        index = self.query_one("#fault-active", OptionList).highlighted
        if self._active and index is not None:
            self._added = None
            self._ask(partial(self._wire.remove, index))

    def action_clear(self) -> None:
        """Remove all faults."""
        self._added = None
        self._ask(self._wire.clear)

    def _ask(self, request: Callable[[], object]) -> None:
        def run() -> None:
            request()

        def answer(text: str | None, error: Exception | None) -> None:
            self.post_message(self.RequestEnded(error))

        self._live.ask(run, answer)

    def on_fault_form_request_ended(self, event: RequestEnded) -> None:
        """Show the active faults, or what went wrong."""
        event.stop()
        self._look()
        if event.error is not None:
            self._added = None
            self._say(str(event.error), wrong=True)

    def _look(self) -> None:
        """Show the active faults, if they have changed."""
        active = self._wire.faults
        if active == self._active:
            return
        self._active = active
        shown = self.query_one("#fault-active", OptionList)
        before = shown.highlighted or 0
        shown.clear_options()
        shown.add_options([Option(f"{number}  {each}") for number, each in enumerate(active, 1)] or [
            Option(_NONE, disabled=True)
        ])  # fmt: skip
        shown.highlighted = min(before, len(active) - 1) if active else None
