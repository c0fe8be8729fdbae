"""A picture of a flow as lines with a cursor: rows fold and unfold, and are searched. It knows no flow.

A new picture of the same flow moves neither the cursor nor what is in view.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment as Cells
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from netlab.dissect.picture import Picture, Row
from netlab.dissect.text import safe
from netlab.ui.picture.picture_rows import INDENT, TONES, Path, PictureLine, PictureRows
from netlab.ui.picture.picture_search import PictureSearch
from netlab.ui.widgets.scrolling import scroll_at_once, set_content_size

_REVERSE = Style(reverse=True)


class PictureView(ScrollView, can_focus=True):
    """Draws the rows. ``cursor`` is the path of a row."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {*filter(None, TONES.values()), "picture--number", "picture--cursor"}
    DEFAULT_CSS = """
    PictureView {
        height: 1fr; background: $background; overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1;
        .picture--good { color: $text-success; }
        .picture--wrong { color: $text-error; }
        .picture--quiet { color: $text-muted; }
        .picture--number { color: $text-muted; }
        .picture--cursor { background: $primary-muted; text-style: bold; }
    }
    PictureView:focus .picture--cursor { background: $block-cursor-background; color: $block-cursor-foreground; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "up", show=False, id="picture.up"),
        Binding("down,j", "move(1)", "down", show=False, id="picture.down"),
        Binding("pageup", "page(-1)", "page up", show=False, id="picture.page_up"),
        Binding("pagedown", "page(1)", "page down", show=False, id="picture.page_down"),
        Binding("home,g", "end(-1)", "first", show=False, id="picture.first"),
        Binding("end,G", "end(1)", "last", show=False, id="picture.last"),
        Binding("space", "fold", "fold", id="picture.fold",
                tooltip="Show all of this row and what belongs to it, or its one line again"),
        Binding("right", "unfold(True)", "unfold", show=False, id="picture.unfold"),
        Binding("left", "unfold(False)", "fold", show=False, id="picture.close_row"),
    ]  # fmt: skip

    @dataclass
    class RowHighlighted(Message):
        """The user moved the cursor to a row."""

        row: Row

    def __init__(self) -> None:
        super().__init__()
        self.rows = PictureRows()
        self.empty = ""
        """What stands there while there are no rows."""
        self._styles: dict[str, Style] = {}
        self._cursor: Path = (0,)
        self.search = PictureSearch(self.rows, lambda: self._cursor, self._go_to_match, self._marks_changed)

    # What is shown

    def show(self, picture: Picture, *, fresh: bool) -> None:
        """Show a picture; ``fresh``: another one, from its top, with all rows folded."""
        if fresh:
            self.rows.unfolded.clear()
            self._cursor = (0,)
        self.rows.show(picture)
        if fresh:
            scroll_at_once(self, 0)
        self.search.look_again()
        self._laid_out()

    def _laid_out(self) -> None:
        set_content_size(self, Size(self.rows.width, len(self.rows.lines)))
        self.refresh()
        self.refresh_bindings()

    def on_resize(self, event: events.Resize) -> None:
        """Wrap the rows for the new width."""
        width = max(self.size.width - self.styles.scrollbar_size_vertical, 20)  # reserved, so that rows stay in place
        if width != self.rows.width:
            self.rows.width = width
            self.rows.lay_out()
            self._laid_out()

    @property
    def text(self) -> str:
        """All lines as text."""
        return "\n".join(f"{self._before(line)}{safe(line.text)}" for line in self.rows.lines)

    def _before(self, line: PictureLine) -> str:
        rows = self.rows
        number = str(line.row.segment) if line.begins and line.row.segment else ""
        numbers = f"{number:>{rows.number_width - 1}} " if rows.number_width else ""
        return numbers + " " * (INDENT * line.depth) + rows.mark(line)

    def render_line(self, y: int) -> Strip:
        """One line in view; one that is too long ends with "…"."""
        width, at = self.scrollable_content_region.width, self.scroll_offset.y + y
        if at >= len(self.rows.lines):
            words = self.empty if not self.rows.lines and not y else ""
            cells = [Cells(words, self._style("picture--quiet"))] if words else []
            return Strip(cells).crop_extend(0, width, self._style(""))
        line = self.rows.lines[at]
        chosen = line.path == self._at(self._cursor)
        style = self._style("picture--cursor") if chosen else self._style(TONES[line.row.tone])
        before = self._before(line)
        number = self.rows.number_width
        cells = [Cells(before[:number], style if chosen else self._style("picture--number")),
                 Cells(before[number:], style), *self._marked(safe(line.text), style)]  # fmt: skip
        strip = Strip(cells)
        if strip.cell_length > width:
            strip = Strip([*strip.crop(0, width - 1), Cells("…", style)])
        return strip.crop_extend(0, width, style if chosen else self._style(""))

    def _marked(self, text: str, style: Style) -> list[Cells]:
        pieces, done, pattern = list[Cells](), 0, self.search.pattern
        for found in pattern.finditer(text) if pattern is not None else ():
            pieces += [Cells(text[done : found.start()], style), Cells(found.group(), style + _REVERSE)]
            done = found.end()
        return [*pieces, Cells(text[done:], style)]

    def _style(self, name: str) -> Style:
        if name not in self._styles:
            self._styles[name] = self.get_component_rich_style(name) if name else self.rich_style
        return self._styles[name]

    def notify_style_update(self) -> None:
        """Forget the styles of the old theme, or of the old focus."""
        self._styles.clear()
        super().notify_style_update()

    # The cursor

    @property
    def highlighted(self) -> Row | None:
        """The row at the cursor."""
        at = self.rows.place(self._cursor)
        return self.rows.lines[at].row if at >= 0 else None

    def _at(self, path: Path) -> Path:
        """The path of the row that stands for ``path``: itself, or the one around it that is in sight."""
        at = self.rows.place(path)
        return self.rows.lines[at].path if at >= 0 else ()

    def point(self, segment: int) -> None:
        """Put the cursor on the row about a segment, and bring it into view."""
        path = self.rows.about(segment)
        if path is not None and path != self._cursor:
            self._put(path)

    def _put(self, path: Path) -> None:
        self._draw_again(self._at(self._cursor))
        self._cursor = path
        at = self.rows.place(path)
        self._draw_again(self._at(path))
        self.refresh_bindings()
        if at < 0:
            return
        height, top = max(self.size.height, 1), self.scroll_offset.y
        last = at
        while last + 1 < len(self.rows.lines) and self.rows.lines[last + 1].path == path:
            last += 1
        if at < top:
            scroll_at_once(self, at)
        elif last >= top + height:
            scroll_at_once(self, min(at, last - height + 1))

    def _draw_again(self, path: Path) -> None:
        """Draw the lines of a row again."""
        at = self.rows.place(path)
        while 0 <= at < len(self.rows.lines) and self.rows.lines[at].path == path:
            self.refresh_line(at)
            at += 1

    def _go(self, at: int) -> None:
        """The user goes to the row on a line."""
        lines = self.rows.lines
        if lines:
            path = lines[min(max(at, 0), len(lines) - 1)].path
            self._put(path)
            self._report()

    def _report(self) -> None:
        """Post the row at the cursor: the user has gone there."""
        if (row := self.highlighted) is not None:
            self.post_message(self.RowHighlighted(row))

    def action_move(self, rows: int) -> None:
        """Go to the next (1) or previous (-1) row."""
        here = self._at(self._cursor)
        at = self.rows.place(here)
        while 0 <= at + rows < len(self.rows.lines) and self.rows.lines[at + rows].path == here:
            at += rows
        self._go(at + rows)

    def action_page(self, pages: int) -> None:
        """Go a page up or down."""
        self._go(self.rows.place(self._cursor) + pages * max(self.size.height - 1, 1))

    def action_end(self, way: int) -> None:
        """Go to the first (-1) or last (1) row."""
        self._go(0 if way < 0 else len(self.rows.lines) - 1)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the row under the pointer; on the cursor's own row, fold or unfold it."""
        place = event.get_content_offset(self)
        if place is None or place.y + self.scroll_offset.y >= len(self.rows.lines):
            return
        at = place.y + self.scroll_offset.y
        if self.rows.lines[at].path == self._at(self._cursor):
            self.action_fold()
        else:
            self._go(at)

    # Folding

    def _folds(self) -> bool:
        at = self.rows.place(self._cursor)
        return at >= 0 and (self._at(self._cursor) in self.rows.unfolded or self.rows.folds(self.rows.lines[at]))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only a row with more than its line shows can be unfolded."""
        return (self._folds() or None) if action == "fold" else True

    def action_fold(self) -> None:
        """Unfold the row, or fold it."""
        if self._folds():
            path = self._at(self._cursor)
            self.rows.toggle(path)
            self._laid_out()
            self._put(path)

    def action_unfold(self, wanted: bool) -> None:
        """Unfold the row; fold it, or go to the row around it."""
        path = self._at(self._cursor)
        if (path in self.rows.unfolded) is not wanted and self._folds():
            self.action_fold()
        elif not wanted and len(path) > 1:
            self._go(self.rows.place(path[:-1]))

    # Searching

    def _go_to_match(self, path: Path) -> None:
        self._laid_out()
        self._put(path)
        self._report()

    def _marks_changed(self) -> None:
        self.refresh()
        self.refresh_bindings()
