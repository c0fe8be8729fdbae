"""A recipe's code, highlighted and searchable, with marks beside its lines. It knows no lab."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.content import Content
from textual.geometry import Region
from textual.strip import Strip
from textual.visual import Visual
from textual.widgets import Static

from netlab.ui.reader.standing_marks import StandingMark
from netlab.ui.widgets.find_bar import next_match
from netlab.ui.widgets.formatting import shortened

_GAP = 3
"""Cells between a line of code and its mark."""


class SourceText(Static):
    """Python code. ``found`` are the numbers of the lines with a match.

    ``show_line`` scrolls to a line and a column of it.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"source--served", "source--idle"}
    DEFAULT_CSS = """
    SourceText {
        .source--served { color: $text-warning; text-style: bold; }
        .source--idle { color: $text-muted; }
    }
    """

    def __init__(self, source: str, show_line: Callable[[int, int], None]) -> None:
        super().__init__(markup=False)
        self.source = source
        self._show_line = show_line
        self._lines: list[Content] = []
        self._pattern: re.Pattern[str] | None = None
        self._match: int | None = None
        self.found: list[int] = []
        self.marks: Mapping[int, StandingMark] = {}

    def on_mount(self) -> None:
        """Highlight the code."""
        self.show(self.source)

    def show(self, source: str) -> None:
        """Show other code."""
        from textual.highlight import highlight  # late: it loads pygments

        self.source, self.marks = source, {}
        self._lines = highlight(self.source, language="python").split("\n")
        self.update(Content("\n").join([self._drawn(number) for number in range(len(self._lines))]))  # for its size

    def mark(self, marks: Mapping[int, StandingMark]) -> None:
        """Show these marks beside the lines, by their numbers from 0, and no others."""
        before, self.marks = self.marks, marks
        for line in before.keys() | marks.keys():
            if before.get(line) != marks.get(line):
                self.refresh(Region(0, line, self.size.width, 1))

    @property
    def match(self) -> int | None:
        """The number of the line gone to."""
        return self._match

    def look_for(self, text: str, match: int | None = None) -> int:
        """StandingMark a text. Returns the number of lines that contain it."""
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
        if y >= len(self._lines) or not self.is_attached:  # a pane that goes away may be drawn once more
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
        right, mark = crop.right, self._beside(number, crop.width)
        if mark is not None:
            right = max(crop.right - mark.cell_length, crop.x + 1)
        if cell_len(text) > right:
            strip = Strip.join([strip.crop(0, right - crop.x - 1), _ellipsis(strip.crop(right - crop.x - 1))])
        if mark is not None:
            end = min(max(cell_len(text), crop.x), right)
            strip = Strip.join([strip.crop(0, end - crop.x), mark])
            strip = strip.extend_cell_length(crop.width, self.visual_style.rich_style).crop(0, crop.width)
        if crop.x and cell_len(text) - cell_len(text.lstrip()) < min(crop.x, cell_len(text)):
            strip = Strip.join([_ellipsis(strip.crop(0, 1)), strip.crop(1)])
        return strip

    def _beside(self, number: int, width: int) -> Strip | None:
        """A line's mark: in so many words that the line can be read, else in few, and in two thirds of the view."""
        mark = self.marks.get(number)
        if mark is None or not self.is_attached:
            return None
        room = width - cell_len(self._lines[number].plain.rstrip()) - 1 - _GAP
        words = next((text for text in mark.texts if cell_len(text) <= room), mark.texts[-1])
        text = " " * _GAP + shortened(words, max(width * 2 // 3 - _GAP, 8))
        return Strip([Segment(text, self.get_component_rich_style(f"source--{'served' if mark.served else 'idle'}"))])

    def _drawn(self, number: int) -> Content:
        line = self._numbered(number)
        for found in self._pattern.finditer(line.plain) if self._pattern is not None else ():
            line = line.stylize("reverse", found.start(), found.end())
        mark = "»" if number == self._match else "▸" if number in self.marks else " "
        return Content.assemble((mark, "bold $text-accent"), line)

    def _numbered(self, number: int) -> Content:
        """A line; if it is marked, with its number in its indentation, as far as that is wide enough."""
        line, mark = self._lines[number], self.marks.get(number)
        shown = f" {mark.number}" if mark is not None else ""
        room = len(line.plain) - len(line.plain.lstrip(" "))
        if not shown or len(shown) >= room:
            return line
        return Content.assemble((shown, "$text-muted"), line[len(shown) :])


def _ellipsis(cell: Strip) -> Strip:
    """The sign of a cut, in the style of the cell whose place it takes."""
    return Strip([Segment("…", next((segment.style for segment in cell), None))], 1)
