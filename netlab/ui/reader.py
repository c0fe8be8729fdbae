"""Something to read beside the running lab: the recipe's source, the lesson, then and now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import ScrollableContainer
from textual.message import Message
from textual.widgets import Static

from netlab.topics.contract import Topic
from netlab.ui.question import Question
from netlab.ui.source_text import SourceText

LESSON, THEN_NOW = "lesson.md", "then_now.md"
SOURCES = ("server.py", "client.py")


class Reader(ScrollableContainer, can_focus=True):
    """One text of a topic's folder, highlighted; it stands in the place of wire and bytes."""

    DEFAULT_CSS = """
    Reader {
        background: $background; border-top: solid $primary-muted; border-title-color: $foreground;
        scrollbar-size: 1 1; padding: 0 1;
        &:focus { border-top: heavy $accent; border-title-style: bold; }
        & > Static { width: auto; min-width: 100%; background: $background; }
        & > Question { dock: bottom; }
        & > Markdown {
            background: $background; margin: 0; padding: 0;
            MarkdownH1, MarkdownH2, MarkdownH3 { margin: 0 0 1 0; content-align: left middle; }
            MarkdownFence { color: $foreground; background: $foreground 5%; margin: 0 0 1 0; }
            MarkdownFence > Label { padding: 0 1; width: 100%; }
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "close", id="reader.close", tooltip="Back to wire and bytes"),
        Binding("k", "scroll_up", "up", show=False, id="reader.up"),
        Binding("j", "scroll_down", "down", show=False, id="reader.down"),
        Binding("space", "page_down", "page down", show=False, id="reader.page_down"),
        Binding("g", "scroll_home", "top", show=False, id="reader.top"),
        Binding("slash", "find", "find", id="reader.find", tooltip="Search this file"),
        Binding("n", "find_next", "next", id="reader.find_next", tooltip="The next line that has what was searched"),
        Binding(
            "M",
            "running",
            "running model",
            id="reader.running",
            tooltip="Go to the class of the model that serves; it is marked in the margin",
        ),
        Binding("G", "scroll_end", "bottom", show=False, id="reader.bottom"),
    ]

    @dataclass
    class Closed(Message):
        """The person has read enough."""

    def __init__(self, topic: Topic, file: str, how_on: str, text: str | None = None, *, model: str = "") -> None:
        """``text`` is what is read where it is not the file's; ``model`` serves, and its class is marked."""
        super().__init__(id="reader")
        self.topic, self.file, self._text, self._model = topic, file, text, model
        self._shown = -1
        self.border_title = self._title = f"{topic.name}/{file} ── {how_on}"

    def compose(self) -> ComposeResult:
        """The text, or why there is none."""
        try:
            text = self.topic.text(self.file) if self._text is None else self._text
        except OSError as error:
            yield Static(f"{self.file} cannot be read: {error.strerror or error}", markup=False)
            return
        if self.file.endswith(".md"):
            from textual.widgets import Markdown  # late: 45 ms that only a reader of lessons should spend

            yield Markdown(text, open_links=False)
        else:
            yield SourceText(text, self._model)
            yield Question()

    def on_resize(self) -> None:
        """Say that there is more to the right, where there is."""
        self.call_after_refresh(self._tell_width)

    def _tell_width(self) -> None:
        self.border_title = f"{self._title}, → scrolls" if self.max_scroll_x else self._title

    def run_by(self, model: str) -> None:
        """The lab serves with another model: mark its class."""
        self._model = model
        for source in self.query(SourceText):
            source.run_by(model)
            self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What can be found in code is not offered in a lesson."""
        source = next(iter(self.query(SourceText)), None)
        if action == "find":
            return source is not None
        if action == "find_next":
            return source is not None and bool(source.found)
        if action == "running":
            return source is not None and bool(source.running)
        return True

    def action_close(self) -> None:
        """Tell it."""
        self.post_message(self.Closed())

    def action_running(self) -> None:
        """To the class of the model that runs."""
        self._show_line(self.query_one(SourceText).running.start)

    def action_find(self) -> None:
        """Ask for what."""
        self.query_one(Question).ask("find", "find", "", self._reads)

    def _reads(self, text: str) -> str:
        count = self.query_one(SourceText).search(text)
        if text and not count:
            raise ValueError("not in this file")
        return f"{count} line{'s'[: count != 1]}; enter, then n goes on" if text else "text in this file"

    def on_question_changed(self, event: Question.Changed) -> None:
        """Show the first line as it is typed."""
        event.stop()
        self.refresh_bindings()
        if found := self.query_one(SourceText).found:
            self._show_line(found[0])

    def on_question_answered(self, event: Question.Answered) -> None:
        """It stands already."""
        event.stop()

    def on_question_left(self, event: Question.Left) -> None:
        """Take the marks away."""
        event.stop()
        self.query_one(SourceText).search("")
        self.refresh_bindings()

    def action_find_next(self) -> None:
        """The next line below the one that is on top, from the last to the first."""
        found = self.query_one(SourceText).found
        here = self._shown
        self._show_line(next((line for line in found if line > here), found[0]))

    def _show_line(self, line: int) -> None:
        """Bring a line into the upper third."""
        self._shown = line
        self.scroll_to(y=max(line - self.size.height // 3, 0), animate=False)
