"""The hex view: offset, hex and text of any number of bytes, with a cursor and a selection.

Only visible rows are computed, each from a slice of the source. It does not know where the bytes come from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from netlab.dissect.hexrows import bytes_per_row, offset_digits, row_width
from netlab.lab.views.coverage import Coverage
from netlab.ui.bytes.byte_source import ByteSource, ViewSource
from netlab.ui.bytes.covered import grid_row, row_label
from netlab.ui.bytes.hex_row import CLASS_STYLES, LAYER_STYLES, Overlay, RowPainter
from netlab.ui.bytes.spans import Spans
from netlab.ui.widgets.line_cache import LineCache
from netlab.ui.widgets.scrolling import move_bar, set_content_size

_MOVES = ("left,h", "right,l", "up,k", "down,j", "pageup", "pagedown", "home", "end", "g", "G")
_WAYS = ("left", "right", "up", "down", "page_up", "page_down", "row_start", "row_end", "first", "last")


def _movement() -> list[BindingType]:
    """Each movement, and the same with shift, which extends the selection (not on letters)."""
    bindings: list[BindingType] = []
    for keys, way in zip(_MOVES, _WAYS, strict=True):
        words = way.replace("_", " ")
        bindings.append(Binding(keys, f"go('{way}')", words, show=False, id=f"bytes.{way}"))
        key = keys.split(",")[0]
        if len(key) > 1:
            extend = f"go('{way}', True)"
            shown = way == "right"  # one stands for all
            label = "select" if shown else f"select {words}"
            bindings.append(Binding(f"shift+{key}", extend, label, show=shown, id=f"bytes.select_{way}"))
    return bindings


def _target(way: str, at: int, last: int, per_row: int, rows: int) -> int:
    """The target of a movement from ``at``. Up in the first row and down in the last row stay where they are.

    ``last`` is the last byte's offset, ``rows`` the height of a page.
    """
    page, column = rows * per_row, at % per_row
    targets = {
        "left": at - 1,
        "right": at + 1,
        "up": at - per_row if at >= per_row else at,
        "down": at + per_row if at + per_row <= last else at,
        "page_up": at - page if at >= page else column,
        "page_down": at + page,
        "row_start": at - column if column else 0,
        "row_end": at - column + per_row - 1 if column < per_row - 1 and at < last else last,
        "first": 0,
        "last": last,
    }
    return targets[way]


class HexView(ScrollView, can_focus=True):
    """Bytes as hex and text. ``cursor`` is an offset; the selection lies between an anchor and the cursor."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"bytes--offset", "bytes--sign", *CLASS_STYLES, *LAYER_STYLES}
    DEFAULT_CSS = """
    HexView {
        border-top: solid $primary-muted; border-title-color: $foreground; border-subtitle-color: $text-muted;
        overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1; background: $background;
        &:focus { border-top: heavy $accent; border-title-style: bold; }
        .bytes--offset { color: $text-muted; }
        .bytes--sign { color: $accent; text-style: bold; }
        .bytes--null { color: $foreground-darken-3; }
        .bytes--printable { color: $foreground; }
        .bytes--space { color: $text-success; }
        .bytes--control { color: $text-warning; }
        .bytes--high { color: $text-secondary; }
        .bytes--uncovered { color: $foreground 40%; text-style: dim; }
        .bytes--chunk { background: $success-muted; }
        .bytes--field-0 { background: $primary-muted; }
        .bytes--field-1 { background: $success-muted; }
        .bytes--field-2 { background: $warning-muted; }
        .bytes--mark { background: $error-muted; text-style: bold; }
        .bytes--field { background: $primary-muted; text-style: bold underline; }
        .bytes--match { background: $warning; color: $background; }
        .bytes--selection { text-style: reverse; }
        .bytes--cursor {
            background: $block-cursor-background; color: $block-cursor-foreground; text-style: bold;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = _movement()

    cursor = reactive(0, repaint=False)

    @dataclass
    class CursorMoved(Message):
        """The cursor or the selection changed. ``by_hand``: the user moved it, not the program."""

        view: HexView
        cursor: int
        by_hand: bool

        @property
        def control(self) -> HexView:
            """The view whose cursor moved."""
            return self.view

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._styles_cache = LineCache()
        self.source: ByteSource = ViewSource()
        self.empty = "no bytes"
        self._over = Overlay()
        self._anchor: int | None = None
        self._per_row = 16
        self._width = self._top = self._grid = 0
        self._digits = 4
        self._base: Style | None = None
        self._painter = RowPainter(lambda name, partial: self.get_component_rich_style(name, partial=partial))

    # What is shown

    def show(self, source: ByteSource, *, chunks: bool = False, marks: Spans | None = None, keep: bool = False) -> None:
        """Show other bytes. ``keep`` (the same bytes, grown) leaves cursor and scroll position, else both go to 0."""
        self.source = source
        cursor = min(self.cursor, max(source.length - 1, 0)) if keep else 0
        self._over = Overlay(cursor=cursor, chunks=chunks, marks=marks)
        if not keep:
            self._anchor = None
        self._over.selection = self._selection()
        self._lay_out()
        if not keep:
            self.scroll_to(0, 0, animate=False)
        self.set_reactive(HexView.cursor, cursor)
        self.refresh()
        self.post_message(self.CursorMoved(self, cursor, False))

    @property
    def page(self) -> tuple[int, memoryview]:
        """The offset of the first visible row, and the bytes of the visible rows."""
        start = self.scroll_offset.y * self._per_row
        return start, self.source.view(start, min(start + self._page() * self._per_row, self.source.length))

    def lay_fields(self, fields: Spans | None) -> None:
        """Tint the spans of fields in three alternating colours."""
        if self._over.fields is not fields:
            self._over.fields = fields
            self.refresh()

    def lay_cover(self, cover: Coverage | None) -> None:
        """Mark what a view shows of the bytes. One of two dimensions is a grid if its rows fit: each on a line."""
        self._over.cover = cover
        self.on_resize()

    def mark_field(self, start: int, end: int) -> None:
        """Underline one field."""
        before, self._over.field = self._over.field, (start, end)
        self._repaint(before, (start, end))

    def mark_match(self, start: int, end: int) -> None:
        """Highlight the match of a search."""
        before, self._over.match = self._over.match, (start, end)
        self._repaint(before, (start, end))

    def _repaint(self, before: tuple[int, int], after: tuple[int, int]) -> None:
        """Repaint the visible rows of two ranges of bytes, if they differ."""
        top = self.scroll_offset.y
        for start, end in (before, after) if before != after else ():
            first = max(start // self._per_row, top)
            last = min((end - 1) // self._per_row, top + self._page())
            if start < end and first <= last:
                self.refresh_lines(first, last - first + 1)

    @property
    def selection(self) -> tuple[int, int]:
        """Selected bytes as (start, end); (0, 0) without a selection."""
        return self._over.selection

    def select(self, start: int, end: int) -> None:
        """Select these bytes, with the cursor on the last one."""
        self._anchor = start
        self.move_to(max(end - 1, start), select=True)

    # Movement

    def move_to(self, offset: int, *, select: bool = False, by_hand: bool = False) -> None:
        """Move the cursor to a byte and scroll there; ``select`` extends the selection to it, else clears it."""
        if not select:
            self._anchor = None
        elif self._anchor is None:
            self._anchor = self.cursor
        before = self._over.selection
        self.cursor = min(max(offset, 0), max(self.source.length - 1, 0))
        self._over.selection = self._selection()
        if before != self._over.selection:
            self.refresh()
        self._into_view()
        self.post_message(self.CursorMoved(self, self.cursor, by_hand))

    def _selection(self) -> tuple[int, int]:
        if self._anchor is None or not self.source.length:
            return (0, 0)
        low, high = sorted((self._anchor, self._over.cursor))
        return (low, min(high + 1, self.source.length))

    def watch_cursor(self, before: int, after: int) -> None:
        """Repaint the two rows that the cursor left and entered."""
        self._over.cursor = after
        self.refresh_line(before // self._per_row)
        self.refresh_line(after // self._per_row)

    def _into_view(self) -> None:
        row, top, height = self.cursor // self._per_row, self.scroll_offset.y, self._page()
        if row < top:
            self.scroll_to(y=row, animate=False)
        elif row >= top + height:
            self.scroll_to(y=row - height + 1, animate=False)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Move the scrollbar with the rows."""
        if self.show_vertical_scrollbar:
            move_bar(self, new_value)
        if round(old_value) != round(new_value):
            self.refresh(self.size.region)

    def _page(self) -> int:
        return max(self.scrollable_content_region.height, 1)

    def action_go(self, way: str, select: bool = False) -> None:
        """One movement by key."""
        if way in ("page_up", "page_down"):
            rows = self._page() if way == "page_down" else -self._page()
            self.scroll_to(y=self.scroll_offset.y + rows, animate=False)
        target = _target(way, self.cursor, self.source.length - 1, self._per_row, self._page())
        self.move_to(target, select=select, by_hand=True)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Put the cursor on the byte under the pointer; with shift, extend the selection to it."""
        if event.get_content_offset(self) is None or event.button != 1:
            return
        offset = self._under(event)
        if offset < self.source.length:
            self.move_to(offset, select=event.shift, by_hand=True)
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """While the button is held, extend the selection to the pointer, beyond the edge too."""
        if self.app.mouse_captured is self and (offset := self._under(event)) != self.cursor:
            self.move_to(offset, select=True, by_hand=True)

    def on_mouse_up(self) -> None:
        """Keep the selection."""
        self.release_mouse()

    def _under(self, event: events.MouseEvent) -> int:
        """The offset of the byte under the pointer, or the nearest one in its row; at least 0."""
        place = event.offset - self.gutter.top_left
        column = place.x - self._digits - 1
        hex_width = 3 * self._per_row + (self._per_row - 1) // 8
        text = place.x - (row_width(self._per_row, self._digits) - self._per_row)
        index = text if column > hex_width else (column - column // 25) // 3
        return max((place.y + self.scroll_offset.y) * self._per_row + min(max(index, 0), self._per_row - 1), 0)

    # Drawing

    def _lay_out(self) -> None:
        top = self.scroll_offset.y * self._per_row
        width = self.scrollable_content_region.width or 80
        before = self._per_row
        self._digits = offset_digits(self.source.length)
        self._per_row = bytes_per_row(width, self.source.length)
        grid = self._grid = grid_row(self._over.cover)
        self._per_row = grid if grid and row_width(grid, self._digits) <= width else self._per_row
        rows = -(-self.source.length // self._per_row)
        set_content_size(self, Size(min(row_width(self._per_row, self._digits), width), rows))
        if before != self._per_row:
            self.scroll_to(y=top // self._per_row, animate=False)

    def on_resize(self) -> None:
        """Fit the bytes per row to the width."""
        self._lay_out()
        self._into_view()
        self.refresh()

    def notify_style_update(self) -> None:
        """The theme changed: clear the cached styles."""
        super().notify_style_update()
        self._painter.forget_styles()
        self._base = None

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows within ``crop``; width and scroll offset are read once for all of them."""
        self._width, self._top = self.scrollable_content_region.width, self.scroll_offset.y
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """One visible row; ``y`` counts from the top of the widget."""
        width = self._width
        start = (self._top + y) * self._per_row
        base = self._base = self._base or self.rich_style
        if start >= self.source.length:
            words = self.empty if y == 0 and not self.source.length else ""
            return Strip([Segment(words, base)] if words else []).adjust_cell_length(width, base)
        label = row_label(self._over.cover, start, self._digits) if self._per_row == self._grid else ""
        row = self._painter.paint(self.source, start, self._per_row, self._digits, self._over, label)
        painted = row_width(self._per_row, self._digits) - max(start + self._per_row - self.source.length, 0)
        if painted <= width:  # computed, not measured, because measuring takes as long as painting
            return Strip([*row, Segment(" " * (width - painted), base)], width)
        return Strip(row, painted).adjust_cell_length(width, base)
