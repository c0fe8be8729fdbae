"""A small question at the foot of a pane: one line to type into, one line that says at once how it reads.

The pane that asks gives the check; the question knows nothing of what the answer means.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static
from textual.widgets.input import Selection

from netlab.dissect.text import safe
from netlab.ui.keys.type_ahead_input import OrderlyInput


class Question(Vertical):
    """Hidden until `ask`. Enter answers (if the check agrees), escape leaves; focus goes back where it was."""

    DEFAULT_CSS = """
    Question {
        height: 2; display: none; background: $surface;
        &.-asking { display: block; }
        Horizontal { height: 1; }
        #question-label { width: auto; padding: 0 1 0 0; text-style: bold; }
        Input { width: 1fr; height: 1; border: none; padding: 0; background: $surface; }
        Input:focus { border: none; background-tint: $foreground 8%; }
        #question-verdict { height: 1; color: $text-muted; text-overflow: ellipsis; text-wrap: nowrap; }
        #question-verdict.-wrong { color: $text-error; }
        #question-verdict.-right { color: $text-success; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "leave", show=False, id="question.leave")]

    @dataclass
    class Changed(Message):
        """What was typed so far, and whether the check agrees with it."""

        purpose: str
        text: str
        right: bool

    @dataclass
    class Answered(Message):
        """Enter was pressed on something that the check agrees with."""

        purpose: str
        text: str

    @dataclass
    class Left(Message):
        """Escape was pressed."""

        purpose: str

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._purpose = ""
        self._check: Callable[[str], str] = lambda text: ""
        self._back: Widget | None = None
        self._right = True

    def compose(self) -> ComposeResult:
        """A label, the line, and the verdict below."""
        with Horizontal():
            yield Static("", id="question-label", markup=False)
            yield OrderlyInput(compact=True, select_on_focus=False, max_length=1000)
        yield Static("", id="question-verdict", markup=False)

    @property
    def line(self) -> Input:
        """What is typed into."""
        return self.query_one(Input)

    @property
    def asking(self) -> bool:
        """Whether the question stands."""
        return self.has_class("-asking")

    def ask(self, purpose: str, label: str, value: str, check: Callable[[str], str]) -> None:
        """Ask; ``check`` gives a line that says how the text reads, or raises `ValueError` with what is wrong."""
        self._purpose, self._check, self._back = purpose, check, self.screen.focused
        self.query_one("#question-label", Static).update(Content(label))
        line = self.line
        with line.prevent(Input.Changed):
            line.value = value
        line.selection = Selection(0, len(value))  # to be typed over, or with → to be typed on
        line.cursor_blink = False
        self.add_class("-asking")
        self._judge(value)
        line.focus()

    def _judge(self, text: str, *, answering: bool = False) -> bool:
        """Show how the text reads. Nothing typed yet is not wrong yet, unless it is to be the answer."""
        try:
            words, self._right = self._check(text), True
        except ValueError as problem:
            words, self._right = str(problem), False
        verdict = self.query_one("#question-verdict", Static)
        wrong = not self._right and bool(text or answering)
        verdict.set_class(wrong, "-wrong").set_class(self._right and bool(text), "-right")
        sign = "✗ " if wrong else "✓ " if self._right and text and words else ""
        verdict.update(Content(sign + safe(words)))
        return self._right

    def on_input_changed(self, event: Input.Changed) -> None:
        """Judge at each key."""
        event.stop()
        if self.asking:
            self.post_message(self.Changed(self._purpose, event.value, self._judge(event.value)))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer, unless the check objects."""
        event.stop()
        if self._judge(event.value, answering=True):
            self._close()
            self.post_message(self.Answered(self._purpose, event.value))

    def action_leave(self) -> None:
        """Take the question back."""
        self._close()
        self.post_message(self.Left(self._purpose))

    def _close(self) -> None:
        self.remove_class("-asking")
        if self._back is not None and self._back.is_attached:
            self._back.focus()
