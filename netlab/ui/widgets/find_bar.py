"""Finds text in a pane: the question is at its foot, matches are marked as one types, n and N visit them.

It knows no pane: it searches anything that can mark a text and go to a match.
"""

from __future__ import annotations

from typing import Protocol

from textual.binding import Binding, BindingType
from textual.widget import Widget

from netlab.ui.keys.commands import clear_key
from netlab.ui.widgets.question import Question


class Searchable(Protocol):
    """Something that can be searched for a text."""

    @property
    def match(self) -> int | None:
        """Which match was gone to, as `look_for` takes it."""

    def look_for(self, text: str, match: int | None = None) -> int:
        """Mark the text, in any case, or nothing if it is empty; the number of lines that have it."""

    def show_match(self, step: int) -> None:
        """Go to the next (1) or previous (-1) match, wrapping around; with 0, to the first one from here."""


def find_keys(place: str) -> list[BindingType]:
    """The keys of a searchable pane, which has the actions; ``place`` begins their ids."""
    return [
        Binding("slash", "find", "find", id=f"{place}.find", tooltip="Find text here"),
        Binding("n", "find_next(1)", "next match", id=f"{place}.find_next", tooltip="Go to the next match"),
        Binding("N", "find_next(-1)", "previous match", show=False, id=f"{place}.find_previous",
                tooltip="Go to the previous match"),
        clear_key(place, "Clear the marks of the search"),
    ]  # fmt: skip


class FindBar(Question):
    """The question for the text. Enter keeps the marks; esc restores marks and place as they were before."""

    def __init__(self, searched: Searchable, view: Widget) -> None:
        """``view`` is what scrolls to a match."""
        super().__init__()
        self._searched, self._view = searched, view
        self._text = ""
        self._looked: tuple[str, int] | None = None
        self._before: tuple[str, int | None] = ("", None)  # text and match
        self._place: tuple[int, int | None] = (0, None)  # column and line, None: the last

    @property
    def searching(self) -> bool:
        """Whether a text with matches is marked."""
        return bool(self._text)

    def find(self) -> None:
        """Ask what to find."""
        self._looked = None
        (column, line), last = self._view.scroll_offset, self._view.scroll_y >= self._view.max_scroll_y
        self._before, self._place = (self._text, self._searched.match), (column, None if last else line)
        self.ask("find", "find", self._text, self._count)

    def _count(self, text: str) -> str:
        if self._looked is None or self._looked[0] != text:  # enter checks again, and must not move the match
            self._looked = text, self._searched.look_for(text)
        count = self._looked[1]
        self._text = text if count else ""
        if text and not count:
            raise ValueError("not found here")
        return f"{count:,} line{'s'[: count != 1]}; press enter, then n and N" if text else "text, in any case"

    def go_on(self, step: int) -> None:
        """Go to the next match (1), or the previous one (-1)."""
        self._searched.show_match(step)

    def look_again(self) -> None:
        """Find the text in another content, which is shown from its top."""
        self._looked, self._before, self._place = None, (self._before[0], None), (0, 0)
        if self.asking:
            self._judge(self.line.value)
        else:
            self._mark(self._text)

    def _mark(self, text: str, match: int | None = None) -> None:
        """Mark a text, if it is found."""
        self._text = text if self._searched.look_for(text, match) else ""
        self.refresh_bindings()

    def clear(self) -> None:
        """Clear the marks."""
        self._mark("")

    def on_question_changed(self, event: Question.Changed) -> None:
        """Show the first match."""
        event.stop()
        if self.searching:
            self._searched.show_match(0)
        self.refresh_bindings()

    def on_question_submitted(self, event: Question.Submitted) -> None:
        """Keep the marks."""
        event.stop()
        self.refresh_bindings()

    def on_question_dismissed(self, event: Question.Dismissed) -> None:
        """Restore what was there before."""
        event.stop()
        self._mark(*self._before)
        column, line = self._place
        if line is None:
            self._view.scroll_end(animate=False, x_axis=False)
        self._view.scroll_to(x=column, y=line, animate=False)


def next_match(places: list[int], here: int, step: int) -> int:
    """The place after ``here`` (step 1), before it (-1), or not before it (0), wrapping around; ``places`` has one."""
    if step < 0:
        return next((place for place in reversed(places) if place < here), places[-1])
    return next((place for place in places if place > here - (step == 0)), places[0])
