"""Shows a text beside the running lab: the recipe's source, the lesson, then and now."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import ScrollableContainer

from netlab.ui.keys.hints import follow_keys, hint
from netlab.ui.reader.pages import Page
from netlab.ui.reader.source_text import SourceText
from netlab.ui.reader.standing_marks import Marks
from netlab.ui.widgets.closing import PaneClosed
from netlab.ui.widgets.find_bar import FindBar, find_keys


class ReaderPane(ScrollableContainer, can_focus=True):
    """Shows a highlighted page in place of wire and bytes."""

    DEFAULT_CSS = """
    ReaderPane {
        background: $background; border-top: solid $primary-muted; border-title-color: $foreground;
        scrollbar-size: 1 1; scrollbar-gutter: stable; padding: 0 1;
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
        Binding("escape,q", "close", "close", id="reader.close", tooltip="Go back to wire and bytes"),
        Binding("k", "scroll_up", "up", show=False, id="reader.up"),
        Binding("j", "scroll_down", "down", show=False, id="reader.down"),
        Binding("space", "page_down", "page down", show=False, id="reader.page_down"),
        Binding("g", "scroll_home", "top", show=False, id="reader.top"),
        Binding("w", "where", "where", id="reader.where", tooltip="Go to the next line at which a client stands"),
        *find_keys("reader"),
        Binding("G", "scroll_end", "bottom", show=False, id="reader.bottom"),
    ]

    def __init__(self, page: Page) -> None:
        super().__init__(id="reader")
        self.page = page
        self.marks = Marks()
        self._led = False
        self.border_title = page.title

    def compose(self) -> ComposeResult:
        """The page."""
        if self.page.python:
            body: LessonText | SourceText = SourceText(self.page.text, self._show_line)
        else:
            from netlab.ui.reader.lesson_text import (
                LessonText,  # late: it takes 45 ms
            )

            body = LessonText(self.page.text, self._show_line)
        yield body
        yield FindBar(body, self)

    def turn_to(self, page: Page) -> None:
        """Show another page of code, from its top; one with the same text stays in place."""
        before, self.page = self.page, page
        self._led = False
        for source in self.query(SourceText) if page.text != before.text else ():  # none before this page is composed
            source.show(page.text)
            self.scroll_home(animate=False)
            self.query_one(FindBar).look_again()
        if self.is_mounted:
            self._update_title()

    def mark(self, marks: Marks) -> None:
        """Show where the server stands. The first client's line comes into view, if nobody has scrolled."""
        before, self.marks = self.marks, marks
        for source in self.query(SourceText):
            source.mark(marks.lines)
            served = self._served
            if served and not self._led and source.size.height:
                self._led = True
                if not self.scroll_offset.y and all(line >= self.scrollable_content_region.height for line in served):
                    self._show_line(served[0], 0)
        if marks.elsewhere != before.elsewhere and self.is_mounted:
            self._update_title()
        if bool(marks.lines) != bool(before.lines):
            self.refresh_bindings()

    @property
    def _served(self) -> list[int]:
        """The lines at which clients stand, or beside which they wait."""
        return sorted(line for line, mark in self.marks.lines.items() if mark.served)

    def on_mount(self) -> None:
        """Name keys in the title only while they work."""
        follow_keys(self, self._update_title)

    def on_resize(self) -> None:
        """Update the title: the page may now be wider than the view, or not."""
        self.call_after_refresh(self._update_title)

    def _update_title(self) -> None:
        more = [("scroll_right", "scrolls")] if self.max_scroll_x else []
        further = [("tab('show_source')", f"{{}}: {self.page.follows}")] if self.page.follows else []
        keys = hint(self, *further, ("close", "closes"), ("find", "finds"), *more)
        self.border_title = " ── ".join(filter(None, [self.page.title, self.marks.elsewhere, keys]))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The next and previous match are available only after a search."""
        bar = next(iter(self.query(FindBar)), None)
        if action == "find":
            return bar is not None and not bar.asking
        if action == "where":
            return bool(self._served)
        if action in ("find_next", "clear"):
            return bar is not None and bar.searching
        return True

    def action_close(self) -> None:
        """Close the page."""
        self.post_message(PaneClosed(self))

    def action_where(self) -> None:
        """Go to the next line at which a client stands; after the last, to the first."""
        middle = self.scroll_offset.y + self.size.height // 3
        if served := self._served:
            self._show_line(next((line for line in served if line > middle), served[0]), 0)

    def action_find(self) -> None:
        """Ask for a text to find."""
        self.query_one(FindBar).find()

    def action_find_next(self, step: int) -> None:
        """Go to the next match, or the previous one."""
        self.query_one(FindBar).go_on(step)

    def action_clear(self) -> None:
        """No marks any more."""
        self.query_one(FindBar).clear()

    def _show_line(self, line: int, column: int) -> None:
        """Scroll a line to the upper third of the view, and its column into view."""
        x = max(column + 4 - self.size.width, 0)
        self.scroll_to(x=x, y=max(line - self.size.height // 3, 0), animate=False)
