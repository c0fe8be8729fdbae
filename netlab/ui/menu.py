"""A small menu over the screen: one of a few choices, by arrow and enter or by its letter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option


class Menu(ModalScreen[str | None]):
    """Gives the chosen letter, or None. ``choices`` maps letters to what they stand for."""

    DEFAULT_CSS = """
    Menu { align: center middle; }
    Menu OptionList { width: auto; min-width: 36; max-width: 90%; height: auto; max-height: 80%;
                      border: solid $accent; border-title-style: bold; background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "leave", id="menu.leave")]

    def __init__(self, title: str, choices: Mapping[str, str]) -> None:
        super().__init__()
        self._title = title
        self._choices = dict(choices)

    def compose(self) -> ComposeResult:
        """The choices, each with its letter."""
        options = [
            Option(Content.assemble((letter, "bold"), f"  {what}"), id=letter) for letter, what in self._choices.items()
        ]
        menu = OptionList(*options, markup=False)
        menu.border_title = Content(self._title).markup
        menu.border_subtitle = "enter chooses, esc leaves"
        yield menu

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter."""
        self.dismiss(event.option_id)

    def on_key(self, event: events.Key) -> None:
        """A choice's letter."""
        if event.character in self._choices:
            event.stop()
            self.dismiss(event.character)
