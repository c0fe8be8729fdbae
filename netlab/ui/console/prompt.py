"""The console's input: history, completion, and pasting several lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import Reactive
from textual.suggester import Suggester

from netlab.ui.console.history import History
from netlab.ui.console.prompt_completion import Completion
from netlab.ui.keys.commands import PROMPT_COMMANDS, bindings
from netlab.ui.keys.type_ahead_input import TypeAheadInput

PASTED = 200
"""At most this many lines of one paste are run; a longer paste is a mistake."""


def runnable(text: str) -> list[str]:
    """The lines of a paste that can be run; in a transcript, the calls after ``>>>``."""
    lines = [line.strip() for line in text.splitlines()]
    calls = [line[4:] for line in lines if line.startswith(">>> ")]
    return calls or [line for line in lines if line and not line.startswith("#")]


class _Suggest(Suggester):
    def __init__(self, completion: Completion) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._completion = completion

    async def get_suggestion(self, value: str) -> str | None:
        """The completion that → would accept."""
        return self._completion.complete(value)


class PromptInput(TypeAheadInput):
    """The line to type into."""

    DEFAULT_CSS = """
    PromptInput, PromptInput:focus { background: $surface; width: 1fr; height: 1; border: none; padding: 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings(PROMPT_COMMANDS)

    virtual_size = Reactive(Size(0, 0), layout=False)
    """`Input` lays out the whole screen at every letter; this line has a fixed size, so nothing moves."""

    @dataclass
    class Entered(Message):
        """Lines were entered; run them in this order."""

        lines: list[str]

    @dataclass
    class Escaped(Message):
        """The user pressed escape."""

    @dataclass
    class MovedOn(Message):
        """The user pressed tab in an empty line."""

    @dataclass
    class TranscriptScrolled(Message):
        """The user scrolls the transcript a page up (-1) or down (1)."""

        pages: int

    def __init__(self, history: History, completion: Completion) -> None:
        super().__init__(compact=True, suggester=_Suggest(completion), select_on_focus=False, id="prompt")
        self.cursor_blink = False  # a blinking cursor repaints twice a second, and snapshots with it
        self._history = history
        self._completion = completion
        self._round: list[str] = []
        """The lines that tab cycles through: the typed one, and its completions."""
        self._asked = ""

    async def action_submit(self) -> None:
        """Enter the line and clear the input."""
        line = self.value.strip()
        self._history.add(line)
        self.value = ""
        if line:
            self.post_message(self.Entered([line]))

    def action_leave(self) -> None:
        """Leave the input."""
        self.post_message(self.Escaped())

    def action_complete(self) -> None:
        """Complete the line; in an empty one, go to the next pane."""
        line, self._round = self.value, self._round if self.value in self._round else []
        if not self._round:
            self._round = [line, *self._completion.candidates(line)] if line else []
        completed = self._round[(self._round.index(line) + 1) % len(self._round)] if self._round else line
        if completed != line:
            self._put(completed)
        elif not self.value:
            self.post_message(self.MovedOn())
        self._asked = self.value if self._completion.ask_about(self.value) else ""

    def learned(self) -> None:
        """The server has answered: complete the line, unless it has changed."""
        asked, self._asked = self._asked, ""
        if asked and asked == self.value and self._completion.candidates(asked):
            self._round = []
            self.action_complete()

    def action_older(self) -> None:
        """Show the previous line."""
        self._put(self._history.older(self.value))

    def action_newer(self) -> None:
        """Show the next line."""
        self._put(self._history.newer(self.value))

    def action_transcript(self, pages: int) -> None:
        """Scroll the transcript without leaving the input."""
        self.post_message(self.TranscriptScrolled(pages))

    def begin(self, line: str) -> None:
        """Begin another line; ↑ brings back the one that was being typed."""
        self._history.add(self.value.strip())
        self._put(line)

    def _put(self, line: str) -> None:
        self.value = line
        self.cursor_position = len(line)

    def _on_paste(self, event: events.Paste) -> None:
        lines = runnable(event.text)
        if len(lines) > 1:
            event.stop()
            event.prevent_default()
            for line in lines[:PASTED]:
                self._history.add(line)
            self.post_message(self.Entered(lines[:PASTED]))
        elif lines and event.text.lstrip().startswith(">>> "):
            event.stop()
            event.prevent_default()
            self.insert_text_at_cursor(lines[0])
