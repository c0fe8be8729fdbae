"""A small question at the foot of a pane: a line to type into, and a line that checks the text at once.

The pane provides the check; the question does not know what the answer means.
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
from netlab.ui.keys.type_ahead_input import TypeAheadInput


class Question(Vertical):
    """Hidden until `ask`. Enter answers, if the check passes; escape leaves. Then the focus returns where it was."""

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
        """The text so far, and whether it passes the check."""

        purpose: str
        text: str
        right: bool

    @dataclass
    class Submitted(Message):
        """Enter was pressed, and the text passes the check."""

        purpose: str
        text: str

    @dataclass
    class Dismissed(Message):
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
            yield TypeAheadInput(compact=True, select_on_focus=False, max_length=1000)
        yield Static("", id="question-verdict", markup=False)

    @property
    def line(self) -> Input:
        """The line to type into."""
        return self.query_one(Input)

    @property
    def asking(self) -> bool:
        """Whether the question is open."""
        return self.has_class("-asking")

    def ask(self, purpose: str, label: str, value: str, check: Callable[[str], str]) -> None:
        """Ask. ``check`` returns a line that explains the text, or raises `ValueError` with what is wrong."""
        self._purpose, self._check, self._back = purpose, check, self.screen.focused
        self.query_one("#question-label", Static).update(Content(label))
        line = self.line
        with line.prevent(Input.Changed):
            line.value = value
        line.selection = Selection(0, len(value))  # typing replaces it, → keeps it
        line.cursor_blink = False
        self.add_class("-asking")
        self._judge(value)
        line.focus()

    def _judge(self, text: str, *, answering: bool = False) -> bool:
        """Check the text and show the result. An empty text is not shown as wrong until enter is pressed."""
        try:
            words, self._right = self._check(text), True
        except ValueError as problem:
            words, self._right = str(problem), False
        verdict = self.query_one("#question-verdict", Static)
        wrong = not self._right and bool(text or answering)
        verdict.set_class(wrong, "-wrong").set_class(self._right and bool(text), "-right")
        sign = "✗ " if wrong else "✓ " if self._right and text and words else ""
        verdict.update(Content(sign + safe(words)), layout=False)
        return self._right

    def on_input_changed(self, event: Input.Changed) -> None:
        """Check the text at each key."""
        event.stop()
        if self.asking:
            self.post_message(self.Changed(self._purpose, event.value, self._judge(event.value)))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer, if the check passes."""
        event.stop()
        if self._judge(event.value, answering=True):
            self._close()
            self.post_message(self.Submitted(self._purpose, event.value))

    def action_leave(self) -> None:
        """Close the question without an answer."""
        self._close()
        self.post_message(self.Dismissed(self._purpose))

    def _close(self) -> None:
        self.remove_class("-asking")
        if self._back is not None and self._back.is_attached:
            self._back.focus()
