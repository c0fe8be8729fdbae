"""The console's input: history, completion, and pasting of many lines."""

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
from netlab.ui.keys.type_ahead_input import OrderlyInput

PASTED = 200
"""Lines of one paste that are run; more would not be meant."""


def runnable(text: str) -> list[str]:
    """The lines of a paste that can be run. Of a transcript these are the calls: what stands after ``>>>``."""
    lines = [line.strip() for line in text.splitlines()]
    calls = [line[4:] for line in lines if line.startswith(">>> ")]
    return calls or [line for line in lines if line and not line.startswith("#")]


class _Suggest(Suggester):
    def __init__(self, completion: Completion) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._completion = completion

    async def get_suggestion(self, value: str) -> str | None:
        """What → would complete to."""
        return self._completion.complete(value)


class Prompt(OrderlyInput):
    """One line, ready to be typed into."""

    DEFAULT_CSS = """
    Prompt, Prompt:focus { background: $surface; width: 1fr; height: 1; border: none; padding: 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings(PROMPT_COMMANDS)

    virtual_size = Reactive(Size(0, 0), layout=False)
    """`Input` lays the whole screen out anew with every letter; one line of fixed size moves nothing."""

    @dataclass
    class Entered(Message):
        """Lines were entered, to be run in this order."""

        lines: list[str]

    @dataclass
    class Left(Message):
        """The person pressed esc."""

    @dataclass
    class MovedOn(Message):
        """The person pressed tab and there was nothing to complete."""

    @dataclass
    class TranscriptScrolled(Message):
        """The person wants to see the transcript's page before (-1) or after (1)."""

        pages: int

    def __init__(self, history: History, completion: Completion) -> None:
        super().__init__(compact=True, suggester=_Suggest(completion), select_on_focus=False, id="prompt")
        self.cursor_blink = False  # a blinking cursor repaints twice a second, and snapshots with it
        self._history = history
        self._completion = completion
        self._round: list[str] = []
        """What tab goes through: the line as it was typed, and all that it can be completed to."""
        self._asked = ""

    async def action_submit(self) -> None:
        """Hand over the line and begin a new one."""
        line = self.value.strip()
        self._history.add(line)
        self.value = ""
        if line:
            self.post_message(self.Entered([line]))

    def action_leave(self) -> None:
        """Tell that the person wants out."""
        self.post_message(self.Left())

    def action_complete(self) -> None:
        """Complete, or move on."""
        line, self._round = self.value, self._round if self.value in self._round else []
        if not self._round:
            self._round = [line, *self._completion.candidates(line)] if line else []
        completed = self._round[(self._round.index(line) + 1) % len(self._round)] if self._round else line
        if completed != line:
            self._put(completed)
        elif not self.value:
            self.post_message(self.MovedOn())
        self._asked = self.value if self._completion.wonder(self.value) else ""

    def learned(self) -> None:
        """What the server was asked about is known: complete what was typed, unless it has changed."""
        asked, self._asked = self._asked, ""
        if asked and asked == self.value and self._completion.candidates(asked):
            self._round = []
            self.action_complete()

    def action_older(self) -> None:
        """Show the line before."""
        self._put(self._history.older(self.value))

    def action_newer(self) -> None:
        """Show the line after."""
        self._put(self._history.newer(self.value))

    def action_transcript(self, pages: int) -> None:
        """Have the transcript scrolled without leaving the input."""
        self.post_message(self.TranscriptScrolled(pages))

    def begin(self, line: str) -> None:
        """Begin another line; the one that was being typed can be had back with ↑."""
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
