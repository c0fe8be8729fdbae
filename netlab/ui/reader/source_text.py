"""A recipe's code as it is read: highlighted and searched. It knows no lab."""

from __future__ import annotations

import re
from collections.abc import Callable

from textual.content import Content
from textual.widgets import Static

from netlab.ui.widgets.find_bar import next_match


class SourceText(Static):
    """Python code. ``found`` are the lines that the search found.

    ``show_line`` brings a line and a column of it into view.
    """

    def __init__(self, source: str, show_line: Callable[[int, int], None]) -> None:
        super().__init__(markup=False)
        self.source = source
        self._show_line = show_line
        self._lines: list[Content] = []
        self._sought: re.Pattern[str] | None = None
        self._match: int | None = None
        self.found: list[int] = []

    def on_mount(self) -> None:
        """Highlight it."""
        from textual.highlight import highlight  # late: it loads pygments

        self._lines = highlight(self.source, language="python").split("\n")
        self._draw()

    @property
    def match(self) -> int | None:
        """The number of the line gone to."""
        return self._match

    def look_for(self, text: str, match: int | None = None) -> int:
        """Mark the text; the number of lines that have it."""
        sought = self._sought = re.compile(re.escape(text), re.IGNORECASE) if text else None
        self._match = match
        lines = self.source.split("\n") if sought is not None else []
        self.found = [number for number, line in enumerate(lines) if sought and sought.search(line)]
        self._draw()
        return len(self.found)

    def show_match(self, step: int) -> None:
        """Go to one of them."""
        if self.found:
            top = self.screen.find_widget(self).clip.y - self.region.y
            self._match = next_match(self.found, top if self._match is None else self._match, step)
            line = self.source.split("\n")[self._match]
            found = self._sought.search(line) if self._sought is not None else None
            self._draw()
            self._show_line(self._match, found.end() if found else 0)

    def _draw(self) -> None:
        self.update(Content("\n").join([self._drawn(number) for number in range(len(self._lines))]))

    def _drawn(self, number: int) -> Content:
        line = self._lines[number]
        for found in self._sought.finditer(line.plain) if self._sought is not None else ():
            line = line.stylize("reverse", found.start(), found.end())
        mark = "»" if number == self._match else " "
        return Content.assemble((mark, "bold $text-accent"), line)
