"""A small list to choose from, each line with what it means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option


@dataclass(frozen=True, slots=True)
class Choice:
    """One line: what is chosen by it, its name, and what that means."""

    value: str
    label: str
    meaning: str = ""


class Chooser(ModalScreen[tuple[str, str] | None]):
    """Asks for one of several; the answer is (how, value), where how is ``enter`` or another key that was offered."""

    DEFAULT_CSS = """
    Chooser { align: center middle; }
    Chooser > Vertical {
        width: 76; max-width: 96%; height: auto; max-height: 90%; border: round $accent; background: $surface;
        border-title-style: bold; padding: 0 1;
    }
    Chooser OptionList, Chooser OptionList:focus {
        height: auto; max-height: 18; border: none; background: $surface; padding: 0;
    }
    Chooser Static { height: 1; color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "leave", show=False, id="chooser.leave"),
        Binding("j", "down", "down", show=False, id="chooser.down"),
        Binding("k", "up", "up", show=False, id="chooser.up"),
        Binding("w", "other('w')", "write", show=False, id="chooser.write"),
    ]

    def __init__(self, title: str, choices: Sequence[Choice], current: str = "", writes: str = "") -> None:
        super().__init__()
        self._title = title
        self._choices = choices
        self._current = current
        self._writes = writes

    def compose(self) -> ComposeResult:
        """The list, and how to answer."""
        width = max(len(choice.label) for choice in self._choices)
        with Vertical() as box:
            box.border_title = self._title
            yield OptionList(*(Option(self._line(choice, width)) for choice in self._choices), markup=False)
            writes = f"   w {self._writes}" if self._writes else ""
            yield Static(f"↑↓ enter chooses{writes}   esc leaves", markup=False)

    def _line(self, choice: Choice, width: int) -> Content:
        mark = "● " if choice.value == self._current else "  "
        return Content.assemble((mark + choice.label.ljust(width), "bold"), ("  " + choice.meaning, "$text-muted"))

    def on_mount(self) -> None:
        """Begin at what is."""
        values = [choice.value for choice in self._choices]
        self.query_one(OptionList).highlighted = values.index(self._current) if self._current in values else 0

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Answer."""
        event.stop()
        self.dismiss(("enter", self._choices[event.option_index].value))

    def action_other(self, key: str) -> None:
        """Answer in the other way that was offered."""
        highlighted = self.query_one(OptionList).highlighted
        if self._writes and highlighted is not None:
            self.dismiss((key, self._choices[highlighted].value))

    def action_down(self) -> None:
        """As ↓."""
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        """As ↑."""
        self.query_one(OptionList).action_cursor_up()
