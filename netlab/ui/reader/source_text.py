"""A recipe's code, highlighted and searchable. It knows no lab."""

from __future__ import annotations

import re
from collections.abc import Callable

from rich.cells import cell_len
from rich.segment import Segment
from textual.content import Content
from textual.geometry import Region
from textual.strip import Strip
from textual.visual import Visual
from textual.widgets import Static

from netlab.ui.widgets.find_bar import next_match


class SourceText(Static):
    """Python code. ``found`` are the numbers of the lines with a match.

    ``show_line`` scrolls to a line and a column of it.
    """

    def __init__(self, source: str, show_line: Callable[[int, int], None]) -> None:
        super().__init__(markup=False)
        self.source = source
        self._show_line = show_line
        self._lines: list[Content] = []
        self._pattern: re.Pattern[str] | None = None
        self._match: int | None = None
        self.found: list[int] = []

    def on_mount(self) -> None:
        """Highlight the code."""
        self.show(self.source)

    def show(self, source: str) -> None:
        """Show other code."""
        from textual.highlight import highlight  # late: it loads pygments

        self.source = source
        self._lines = highlight(self.source, language="python").split("\n")
        self.update(Content("\n").join([self._drawn(number) for number in range(len(self._lines))]))  # for its size

    @property
    def match(self) -> int | None:
        """The number of the line gone to."""
        return self._match

    def look_for(self, text: str, match: int | None = None) -> int:
        """Mark a text. Returns the number of lines that contain it."""
        pattern = self._pattern = re.compile(re.escape(text), re.IGNORECASE) if text else None
        self._match = match
        lines = self.source.split("\n") if pattern is not None else []
        self.found = [number for number, line in enumerate(lines) if pattern and pattern.search(line)]
        self.refresh()
        return len(self.found)

    def show_match(self, step: int) -> None:
        """Go to a match."""
        if self.found:
            top = self.screen.find_widget(self).clip.y - self.region.y
            self._match = next_match(self.found, top if self._match is None else self._match, step)
            line = self.source.split("\n")[self._match]
            found = self._pattern.search(line) if self._pattern is not None else None
            self.refresh()
            self._show_line(self._match, found.end() if found else 0)

    def render_line(self, y: int) -> Strip:
        """One line; Textual would make the strips of the whole text for each mark that changes."""
        width = self.size.width
        if y >= len(self._lines):
            return Strip.blank(width, self.visual_style.rich_style)
        return Visual.to_strips(self, self._drawn(y), width, 1, self.visual_style, pad=True)[0]

    def render_lines(self, crop: Region) -> list[Strip]:
        """The part of the lines that is in view; "…" stands where one goes on beyond it."""
        strips = super().render_lines(crop)
        return [self._cut(strip, crop.y + row, crop) for row, strip in enumerate(strips)]

    def _cut(self, strip: Strip, number: int, crop: Region) -> Strip:
        if number >= len(self._lines) or crop.width < 2:
            return strip
        text = f" {self._lines[number].plain.rstrip()}"
        if cell_len(text) > crop.right:
            strip = Strip.join([strip.crop(0, crop.width - 1), _ellipsis(strip.crop(crop.width - 1))])
        if crop.x and cell_len(text) - cell_len(text.lstrip()) < min(crop.x, cell_len(text)):
            strip = Strip.join([_ellipsis(strip.crop(0, 1)), strip.crop(1)])
        return strip

    def _drawn(self, number: int) -> Content:
        line = self._lines[number]
        for found in self._pattern.finditer(line.plain) if self._pattern is not None else ():
            line = line.stylize("reverse", found.start(), found.end())
        mark = "»" if number == self._match else " "
        return Content.assemble((mark, "bold $text-accent"), line)


def _ellipsis(cell: Strip) -> Strip:
    """The sign of a cut, in the style of the cell whose place it takes."""
    return Strip([Segment("…", next((segment.style for segment in cell), None))], 1)
