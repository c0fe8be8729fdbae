"""A small list to choose from, with a description for each line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from netlab.ui.keys.late_paint import LateModal

_WIDTH = 76
"""The largest width of a chooser's box in cells, as in its CSS."""
_AROUND = 6
"""The cells of border, padding and scrollbar in it."""


@dataclass(frozen=True, slots=True)
class ChooserItem:
    """One line: its value, label and meaning, and the reason if it cannot be chosen."""

    value: str
    label: str
    meaning: str = ""
    unavailable: str = ""


def _room(columns: int) -> int:
    """Cells of a line on a screen of so many columns."""
    return min(_WIDTH, columns * 96 // 100) - _AROUND


def entry(label: str, meaning: str, width: int) -> Content:
    """One line of a list: the label, and the meaning wrapped in its own column."""
    indent = len(label) + 2
    below = indent > width * 3 // 5
    first, *more = wrap(meaning, max(width - (4 if below else indent), 10), break_on_hyphens=False) or [""]
    lines = [Content.assemble((label.rstrip(), "bold"))] if below else []
    if below:
        indent, more = 4, [first, *more] if first else []
    else:
        lines = [Content.assemble((label, "bold"), ("  " + first, "$text-muted"))]
    lines += [Content.styled(" " * indent + text, "$text-muted") for text in more]
    return Content("\n").join(lines)


class Chooser(LateModal[tuple[str, str] | None]):
    """Asks for one of several lines. The answer is (key, value); the key is ``enter`` or ``w``."""

    DEFAULT_CSS = """
    Chooser { align: center middle; }
    Chooser > Vertical {
        width: 76; max-width: 96%; height: auto; max-height: 90%; border: round $accent; background: $surface;
        border-title-style: bold; padding: 0 1;
    }
    Chooser OptionList, Chooser OptionList:focus {
        height: auto; max-height: 18; border: none; background: $surface; padding: 0;
    }
    Chooser Static { height: auto; color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "leave", show=False, id="chooser.leave"),
        Binding("j", "down", "down", show=False, id="chooser.down"),
        Binding("k", "up", "up", show=False, id="chooser.up"),
        Binding("w", "other('w')", "write", show=False, id="chooser.write"),
    ]

    def __init__(self, title: str, choices: Sequence[ChooserItem], current: str = "", writes: str = "") -> None:
        super().__init__()
        self._title = title
        self._choices = choices
        self._current = current
        self._writes = writes

    def compose(self) -> ComposeResult:
        """The list, and its keys."""
        with Vertical() as box:
            box.border_title = self._title
            lines = zip(self._lines(self.app.size.width), self._choices, strict=True)
            options = (Option(line, disabled=bool(choice.unavailable)) for line, choice in lines)
            yield OptionList(*options, markup=False)
            yield Static(self._keys(self.app.size.width), markup=False, id="chooser-keys")

    def _keys(self, columns: int) -> Content:
        """How to answer, each key with its words on one line."""
        lines = [""]
        for key in filter(None, ["↑↓ enter chooses", f"w {self._writes}" * bool(self._writes), "esc leaves"]):
            if lines[-1] and len(lines[-1]) + 3 + len(key) > _room(columns):
                lines.append("")
            lines[-1] += f"   {key}" if lines[-1] else key
        return Content("\n".join(lines))

    def _lines(self, columns: int) -> list[Content]:
        """The lines on a screen with this many columns."""
        label = max(len(choice.label) for choice in self._choices)
        marks = ("● " if choice.value == self._current else "  " for choice in self._choices)
        return [
            entry(mark + choice.label.ljust(label), choice.unavailable or choice.meaning, _room(columns))
            for mark, choice in zip(marks, self._choices, strict=True)
        ]

    def on_resize(self, event: events.Resize) -> None:
        """Wrap the lines for the new width."""
        options = self.query_one(OptionList)
        for index, line in enumerate(self._lines(event.size.width)):
            options.replace_option_prompt_at_index(index, line)
        self.query_one("#chooser-keys", Static).update(self._keys(event.size.width))

    def on_mount(self) -> None:
        """Highlight the current value."""
        values = [choice.value for choice in self._choices]
        self.query_one(OptionList).highlighted = values.index(self._current) if self._current in values else 0

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Answer with the highlighted line."""
        event.stop()
        self.dismiss(("enter", self._choices[event.option_index].value))

    def action_other(self, key: str) -> None:
        """Answer with the other key."""
        highlighted = self.query_one(OptionList).highlighted
        if self._writes and highlighted is not None:
            self.dismiss((key, self._choices[highlighted].value))

    def action_down(self) -> None:
        """Move down, like ↓."""
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        """Move up, like ↑."""
        self.query_one(OptionList).action_cursor_up()
