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
        & > Markdown { background: $background; margin: 0; padding: 0; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "close", id="reader.close", tooltip="Back to wire and bytes"),
        Binding("k", "scroll_up", "up", show=False, id="reader.up"),
        Binding("j", "scroll_down", "down", show=False, id="reader.down"),
        Binding("space", "page_down", "page down", show=False, id="reader.page_down"),
        Binding("g", "scroll_home", "top", show=False, id="reader.top"),
        Binding("G", "scroll_end", "bottom", show=False, id="reader.bottom"),
    ]

    @dataclass
    class Closed(Message):
        """The person has read enough."""

    def __init__(self, topic: Topic, file: str, how_on: str, text: str | None = None) -> None:
        """``text`` is what is read where it is not the file's."""
        super().__init__(id="reader")
        self.topic, self.file, self._text = topic, file, text
        self.border_title = f"{topic.name}/{file} ── {how_on}"

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
            from textual.highlight import highlight  # late: it loads pygments

            yield Static(highlight(text, language="python"))

    def action_close(self) -> None:
        """Tell it."""
        self.post_message(self.Closed())
