"""A lesson: searchable Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable

from rich.cells import cell_len
from textual.content import Content
from textual.widgets import Markdown, Static
from textual.widgets.markdown import MarkdownFence

from netlab.ui.widgets.find_bar import next_match


def marked(content: Content, pattern: re.Pattern[str] | None) -> Content:
    """The content with every match reversed."""
    for found in pattern.finditer(content.plain) if pattern is not None else ():
        content = content.stylize("reverse", found.start(), found.end())
    return content


class LessonFence(MarkdownFence):
    """Code in a lesson. When a style changes, Textual highlights it again, so the matches are marked again."""

    def set_content(self, content: Content) -> None:
        """Show the code with its matches marked."""
        lesson = next((node for node in self.ancestors if isinstance(node, LessonText)), None)
        super().set_content(marked(content, lesson.pattern if lesson is not None else None))


class LessonText(Markdown):
    """A lesson's text. ``show_line`` scrolls to one of its lines, counted from the top."""

    BLOCKS = {**Markdown.BLOCKS, "fence": LessonFence, "code_block": LessonFence}  # noqa: RUF012 - as Textual types it

    def __init__(self, text: str, show_line: Callable[[int, int], None]) -> None:
        super().__init__(text, open_links=False)
        self._show_line = show_line
        self.pattern: re.Pattern[str] | None = None
        self._plain: list[tuple[Static, Content]] = []
        self._found: list[tuple[Static, str]] = []
        self._match: int | None = None

    @property
    def match(self) -> int | None:
        """Which of the lines found was gone to."""
        return self._match

    def look_for(self, text: str, match: int | None = None) -> int:
        """Mark a text. Returns the number of lines that contain it."""
        for static, content in self._plain:
            static.update(content, layout=False)  # a mark changes no size
        self._plain, self._found, self._match = [], [], match
        self.pattern = re.compile(re.escape(text), re.IGNORECASE) if text else None
        for static in self.query(Static) if text else ():
            if isinstance(static.content, Content):
                self._look_in(static, static.content)
        return len(self._found)

    def _look_in(self, static: Static, content: Content) -> None:
        starts = [found.start() for found in self.pattern.finditer(content.plain)] if self.pattern is not None else []
        if starts:
            self._plain.append((static, content))
            static.update(marked(content, self.pattern), layout=False)
            befores = [content.plain[:start] for start in reversed(starts)]
            first = {before.count("\n"): before for before in befores}  # only the first in each line
            self._found += [(static, first[line]) for line in sorted(first)]

    def show_match(self, step: int) -> None:
        """Go to a match."""
        places = [self._line(static, before) for static, before in self._found]
        if not places:
            return
        if self._match is not None:
            self._match = (self._match + step) % len(places)
        else:
            top = self.screen.find_widget(self).clip.y - self.region.y
            self._match = places.index(next_match(places, top, step))
        self._show_line(places[self._match], 0)

    def _line(self, static: Static, before: str) -> int:
        """The line of the text after ``before``, estimated without wrapping words."""
        *whole, last = before.split("\n")
        width = max(static.content_size.width, 1)
        return static.content_region.y - self.region.y + len(whole) + cell_len(last) // width
