"""Looking for text in what a pane shows: asked at its foot, marked as it is typed, visited with n and N.

It knows no pane: what is searched is anything that can mark a text and go to where it is.
"""

from __future__ import annotations

from typing import Protocol

from textual.binding import Binding, BindingType
from textual.widget import Widget

from netlab.ui.keys.commands import clear_key
from netlab.ui.widgets.question import Question


class Searched(Protocol):
    """What a text can be looked for in."""

    @property
    def match(self) -> int | None:
        """Which match was gone to, as `look_for` takes it."""

    def look_for(self, text: str, match: int | None = None) -> int:
        """Mark the text, in any case, or nothing if it is empty; the number of lines that have it."""

    def show_match(self, step: int) -> None:
        """Go to the next (1) or previous (-1) line that has it, around the end; with 0 to the first from here."""


def find_keys(place: str) -> list[BindingType]:
    """The keys of a pane that can be searched; ``place`` begins their ids. The pane has the actions."""
    return [
        Binding("slash", "find", "find", id=f"{place}.find", tooltip="Find text here"),
        Binding("n", "find_next(1)", "next match", id=f"{place}.find_next", tooltip="Go to the next line that has it"),
        Binding("N", "find_next(-1)", "match before", show=False, id=f"{place}.find_previous",
                tooltip="Go to the line before that has it"),
        clear_key(place, "Clear the marks of the search"),
    ]  # fmt: skip


class FindBar(Question):
    """The question for the text. Enter keeps the marks; esc restores marks and place as they were before."""

    def __init__(self, searched: Searched, view: Widget) -> None:
        """``view`` is what scrolls to a match."""
        super().__init__()
        self._searched, self._view = searched, view
        self._text = ""
        self._looked: tuple[str, int] | None = None
        self._before: tuple[str, int | None, int | None] = ("", None, None)  # text, match, and line, if not the last

    @property
    def searching(self) -> bool:
        """Whether a text is marked that some line has."""
        return bool(self._text)

    def find(self) -> None:
        """Ask what to find."""
        self._looked = None
        line = self._view.scroll_offset.y if self._view.scroll_y < self._view.max_scroll_y else None
        self._before = self._text, self._searched.match, line
        self.ask("find", "find", self._text, self._count)

    def _count(self, text: str) -> str:
        if self._looked is None or self._looked[0] != text:  # enter judges once more, and is to leave the match
            self._looked = text, self._searched.look_for(text)
        count = self._looked[1]
        self._text = text if count else ""
        if text and not count:
            raise ValueError("this text is not here")
        return f"{count:,} line{'s'[: count != 1]}; enter, then n and N go on" if text else "text, in whatever case"

    def go_on(self, step: int) -> None:
        """To the next line that has it (1), or the one before (-1)."""
        self._searched.show_match(step)

    def clear(self) -> None:
        """Clear the marks."""
        self._text = ""
        self._searched.look_for("")
        self.refresh_bindings()

    def on_question_changed(self, event: Question.Changed) -> None:
        """Show the first line that has it."""
        event.stop()
        if self.searching:
            self._searched.show_match(0)
        self.refresh_bindings()

    def on_question_answered(self, event: Question.Answered) -> None:
        """The marks stand already."""
        event.stop()
        self.refresh_bindings()

    def on_question_left(self, event: Question.Left) -> None:
        """Restore what was there before."""
        event.stop()
        self._text, match, line = self._before
        self._searched.look_for(self._text, match)
        if line is None:
            self._view.scroll_end(animate=False)
        else:
            self._view.scroll_to(y=line, animate=False)
        self.refresh_bindings()


def next_match(places: list[int], here: int, step: int) -> int:
    """The place after ``here`` (step 1), before it (-1), or there or after it (0), around the end; there is one."""
    if step < 0:
        return next((place for place in reversed(places) if place < here), places[-1])
    return next((place for place in places if place > here - (step == 0)), places[0])
