"""A bounded number of coloured, wrapped lines; only visible ones are drawn. The base of transcript and server log.

New lines never move what the user has scrolled to. Text is drawn as it is, without markup.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import ClassVar

from rich.cells import cell_len, get_character_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from netlab.ui.widgets.scrolling import scroll_at_once, set_content_size

Part = tuple[str, str]
"""The name of a component class (or empty), and text."""

Line = tuple[Part, ...]


def _prefix(text: str, start: int, width: int) -> int:
    """The end of the longest part of ``text`` from ``start`` that fits ``width`` cells; at least one character."""
    cells = 0
    for index in range(start, len(text)):
        cells += get_character_cell_size(text[index])
        if cells > width:
            return max(index, start + 1)
    return len(text)


def breaks(text: str, width: int) -> Iterator[tuple[int, int]]:
    """Where ``text`` is cut into rows of ``width`` cells: between words, or inside a word that is longer than a row,
    such as a literal, which then starts on the current row."""
    start = 0
    plain = text.isascii()
    while len(text) - start > width if plain else cell_len(text[start:]) > width:
        end = start + width if plain else _prefix(text, start, width)
        space = text.rfind(" ", start, end)
        word = text.find(" ", space + 1)
        short = (len(text) if word < 0 else word) - space - 1 <= width
        if space > start and (short or space > start + (end - start) // 2):
            end = space + 1
        yield start, end
        start = end
    yield start, len(text)


def _cut(line: Line, start: int, end: int) -> Line:
    row: list[Part] = []
    at = 0
    for style, text in line:
        piece = text[max(start - at, 0) : max(end - at, 0)]
        if piece:
            row.append((style, piece))
        at += len(text)
    return tuple(row)


def wrapped(line: Line, width: int, indent: int = 0) -> list[Line]:
    """The rows of a line at ``width`` cells, at least one; all but the first are indented by ``indent``."""
    text = "".join(part[1] for part in line)
    if text.isascii() and len(text) <= width:
        return [line]
    if indent * 3 > width:
        indent = 0
    (start, end), *more = list(breaks(text, max(width, 1)))[: 2 if indent else None]
    rows = [_cut(line, start, end)]
    if indent and more:
        more = [(end + start, end + stop) for start, stop in breaks(text[end:], width - indent)]
    return rows + [((("", " " * indent),) if indent else ()) + _cut(line, *span) for span in more]


def hanging(line: Line) -> int:
    """The cells before a line's last part, which is the indent of its further rows."""
    return sum(cell_len(text) for _, text in line[:-1])


class Scrollback(ScrollView, can_focus=True):
    """The newest ``LIMIT`` lines. It follows the newest one unless the user has scrolled up."""

    LIMIT = 4000
    EMPTY = ""
    """The text shown while there are no lines."""

    MARGIN = 0
    """Cells before each row for a mark (see `mark`)."""

    ALLOW_SELECT = True
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "scrollback--faint",
        "scrollback--call",
        "scrollback--note",
        "scrollback--warning",
        "scrollback--error",
    }
    DEFAULT_CSS = """
    Scrollback {
        background: $surface;
        color: $foreground;
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        & > .scrollback--faint { color: $text-muted; }
        & > .scrollback--call { color: $text-primary; text-style: bold; }
        & > .scrollback--note { color: $text-muted; text-style: italic; }
        & > .scrollback--warning { color: $text-warning; }
        & > .scrollback--error { color: $text-error; text-style: bold; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "up", show=False, id="scroll.up"),
        Binding("down,j", "scroll_down", "down", show=False, id="scroll.down"),
        Binding("pageup", "page_up", "page up", show=False, id="scroll.page_up"),
        Binding("pagedown,space", "page_down", "page down", show=False, id="scroll.page_down"),
        Binding("home,g", "scroll_home", "oldest", show=False, id="scroll.home"),
        Binding("end,G", "scroll_end", "newest, and follow", show=False, id="scroll.end"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: deque[Line] = deque(maxlen=self.LIMIT)
        self._rows: list[Line] = []
        self._owners: list[int] = []  # for each row, the number of its line, counted from 0 over all lines ever added
        self._total = 0
        self._styles: dict[str, Style] = {}
        self._wrap_width = self._height = 0

    @property
    def text(self) -> str:
        """The text of all lines."""
        return "\n".join("".join(part[1] for part in line) for line in self._lines)

    @property
    def follows(self) -> bool:
        """Whether the newest line is in view, so that new ones are scrolled to."""
        return self.scroll_target_y >= self.max_scroll_y - 1

    def clear(self) -> None:
        """Remove all lines."""
        self._lines.clear()
        self._rows.clear()
        self._owners.clear()
        self._resized(follow=True)

    def extend(self, lines: Iterable[Line]) -> None:
        """Add lines at the end; beyond the limit the oldest are dropped."""
        added = list(lines)[-self.LIMIT :]
        if not added:
            return
        follow = self.follows
        self._lines.extend(added)
        if self._wrap_width:
            self._lay_out(added, self._total)
            self._trim(follow)
            self._resized(follow)
        self._total += len(added)

    def _lay_out(self, lines: Iterable[Line], first: int) -> None:
        for number, line in enumerate(lines, first):
            rows = wrapped(line, self._wrap_width, hanging(line))
            self._rows += rows
            self._owners += [number] * len(rows)

    def _trim(self, follow: bool) -> None:
        surplus = len(self._rows) - self.LIMIT
        if surplus > 0:
            del self._rows[:surplus], self._owners[:surplus]
            if not follow:
                self.set_scroll(None, max(0, self.scroll_y - surplus))

    def _resized(self, follow: bool) -> None:
        set_content_size(self, Size(self._wrap_width, len(self._rows)))
        if follow:
            self._to_end()
        self.refresh()

    def _to_end(self) -> None:
        scroll_at_once(self, self.max_scroll_y)

    def on_resize(self, event: events.Resize) -> None:
        """Wrap the lines again if the width has changed."""
        bar = self.styles.scrollbar_size_vertical  # always reserved: its appearance causes no resize
        width = max(self.size.width - bar - self.MARGIN, 1)
        follow = self.follows or self.scroll_target_y >= len(self._rows) - self._height - 1  # at the height before
        self._height = self.size.height
        if width != self._wrap_width:
            follow = follow or not self._wrap_width
            self._wrap_width = width
            self._rows, self._owners = [], []
            self._lay_out(self._lines, self._total - len(self._lines))
            self._trim(follow)
            self._resized(follow)
        elif follow:
            self._to_end()

    def notify_style_update(self) -> None:
        """Clear the cached styles of the old theme."""
        self._styles.clear()
        super().notify_style_update()

    def _style(self, name: str) -> Style:
        style = self._styles.get(name)
        if style is None:
            style = self.get_component_rich_style(name) if name else self.rich_style
            self._styles[name] = style
        return style

    def render_line(self, y: int) -> Strip:
        """One visible row."""
        row = round(self.scroll_y) + y
        base = self.rich_style
        if row >= len(self._rows):
            words = self.EMPTY if not self._rows and y == 0 else ""
            return Strip(
                [Segment(" " * self.MARGIN + words, self._style("scrollback--note"))] if words else []
            ).crop_extend(0, self.size.width, base)
        segments = [Segment(text, self._style(name)) for name, text in self._rows[row]]
        strip = Strip(self._selected(segments, row)).crop_extend(0, self.size.width - self.MARGIN, base)
        strip = strip.apply_offsets(0, row)
        margin = Segment(self._margin(row).ljust(self.MARGIN), base)
        return Strip.join([Strip([margin]), strip]) if self.MARGIN else strip

    def _margin(self, row: int) -> str:
        return self.mark(row)

    def mark(self, row: int) -> str:
        """The sign in the margin of a row."""
        return ""

    def _selected(self, segments: list[Segment], row: int) -> list[Segment]:
        span = self.text_selection.get_span(row) if self.text_selection is not None else None
        if span is None:
            return segments
        start, end = span
        style = self.screen.get_component_rich_style("screen--selection")
        line = Strip(segments)
        end = line.cell_length if end == -1 else end
        inside = line.crop(start, end).apply_style(style)
        return [*line.crop(0, start), *inside, *line.crop(end)]

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The text of a selection made with the mouse."""
        text = "\n".join("".join(part[1] for part in row) for row in self._rows)
        return selection.extract(text), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Draw the selection."""
        self.refresh()
