"""The lines of the wire list: the segments of a capture that pass the filter, newest last, with a cursor.

Segments are decoded when their line is drawn, so that millions of them scroll. How the user moves is in `SegmentList`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableSequence
from dataclasses import dataclass
from typing import ClassVar

from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from netlab.capture.model import Endpoint, Segment, Transport
from netlab.capture.view import CapturedSegments
from netlab.dissect.reading.meanings import How, Meanings
from netlab.lab.server_sockets import FlowSockets
from netlab.ui.keys.hints import follow_keys, hint
from netlab.ui.widgets.line_cache import LineCache
from netlab.ui.widgets.redraw_rate import RedrawRate
from netlab.ui.widgets.scrolling import scroll_at_once, set_content_size
from netlab.ui.wire.decrypted_lines import DecryptedLines
from netlab.ui.wire.lines_title import LinesTitle
from netlab.ui.wire.segment_painter import STYLES, SegmentPainter
from netlab.ui.wire.segment_rows import SegmentRows


class SegmentLines(ScrollView, can_focus=True):
    """Draws the segments, one per line. ``cursor`` is a row, `highlighted` the segment on it."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = set(STYLES)
    DEFAULT_CSS = """
    SegmentLines {
        border-top: solid $primary-muted; border-title-color: $foreground; border-subtitle-color: $text-muted;
        overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; background: $background;
        &:focus { border-top: heavy $accent; border-title-style: bold; }
        .wire--heading { color: $text-muted; }
        .wire--to-server { color: $text-primary; }
        .wire--to-client { color: $text-success; }
        .wire--event { color: $text-muted; }
        .wire--fate { color: $text-warning; }
        .wire--cursor { background: $primary-muted; text-style: bold; }
    }
    SegmentLines:focus .wire--cursor { background: $block-cursor-background; color: $block-cursor-foreground; }
    """

    cursor = reactive(-1, repaint=False)

    @dataclass
    class RowHighlighted(Message):
        """The cursor is on another segment (None: on none)."""

        segment: Segment | None

    def __init__(self, *, live: bool, id: str | None = None) -> None:
        """``live``: new segments arrive, and the list can follow them."""
        super().__init__(id=id)
        self._styles_cache = LineCache()
        self._live = live
        self.rows = SegmentRows()
        """The segments that are shown, and the user's place among them."""
        self.title = LinesTitle(self, self.rows, live=live)
        self._painter = SegmentPainter(
            self.rows, lambda name, partial: self.get_component_rich_style(name, partial=partial)
        )
        self._redraw_rate = RedrawRate()
        self._seen: tuple[int, int, int, int] | None = None
        self._clients: frozenset[Endpoint] = frozenset()

    @property
    def flooded(self) -> bool:
        """Whether segments arrive faster than anyone can read. Afterwards the highlighted segment is posted again."""
        return self._redraw_rate.flooded

    @property
    def hurried(self) -> bool:
        """Whether a flood is followed: the lines that are shown are gone a second later."""
        return self.flooded and self.rows.following

    @property
    def highlighted(self) -> Segment | None:
        """The segment at the cursor."""
        return self.rows.at(self.cursor)

    # What is shown

    def show(self, capture: CapturedSegments | None, how: How = None) -> None:
        """Show another capture (None: nothing yet) at its newest segment.

        A line shows the summary of who reads its flow (``how``); otherwise a preview of the text.
        """
        self.rows.show(capture)
        self._seen = None
        self._painter.how = how
        self._redraw_rate.forget()
        self.set_reactive(SegmentLines.cursor, -1)
        self.post_message(self.RowHighlighted(None))
        self.grow()

    def read_as(self, how: How) -> None:
        """Draw the lines with other meanings."""
        self._painter.how = how
        self.refresh()

    def grow(self) -> None:
        """Show new segments of the capture. Call it often: it is cheap, and draws seldom in a flood."""
        if self._redraw_rate.look(self.rows.total):
            self._let_go()
            self._lay_out()
            self._settle()
            self.refresh()
        elif self._redraw_rate.highlight_is_due():
            self.post_message(self.RowHighlighted(self.highlighted))
        self._hurry()

    def _hurry(self) -> None:
        """While a flood is followed, lines show previews: reading the flows would take processor time from the wire."""
        how, hurried = self._painter.how, self.hurried
        if isinstance(how, Meanings) and how.hurried is not hurried:
            how.hurried = hurried
            self.refresh()

    def _let_go(self) -> None:
        """Keep the lines in their place when rows above them are gone."""
        if not (gone := self.rows.let_go()):
            return
        lost = not self.rows.following and self.cursor < gone
        self.set_reactive(SegmentLines.cursor, -1 if lost else self.cursor - gone)
        if not self.rows.following:
            scroll_at_once(self, max(self.scroll_offset.y - gone, 0))

    def show_rows(self, rows: MutableSequence[int] | None, note: str = "") -> None:
        """Show only these segments (ascending indices, may grow), or all; the title shows ``note``.

        The cursor stays on its segment, or goes to the next one shown.
        """
        row, before = self.cursor, self.highlighted
        self.rows.show_only(rows, note)
        self._seen = None
        self._redraw_rate.drew(self.rows.total)
        self._lay_out()
        self._settle()
        if self.cursor == row and self.highlighted != before:  # another segment on the same row
            self.post_message(self.RowHighlighted(self.highlighted))
        self.refresh()

    def _settle(self) -> None:
        """Put the cursor on the newest segment if it is followed, else on the user's segment, or the next one shown."""
        if self.rows.following:
            self._put_newest()
        elif self.rows.lost:
            self.set_reactive(SegmentLines.cursor, -1)  # the other panes go on showing the segment
        else:
            self._put(self.rows.place())

    def _put_newest(self) -> None:
        """Scroll to the newest segment, with the cursor on the newest one that has bytes."""
        self._put(self.rows.newest_with_bytes())
        self._into_view(self.rows.count - 1)

    def show_opened(self, opened: DecryptedLines | None) -> None:
        """Set what decrypts encrypted segments, so that their lines show the plaintext."""
        self._painter.decrypted = opened

    def show_unread(self, flows: Mapping[Endpoint, FlowSockets]) -> None:
        """Mark the segments that the server has not read, by what the kernel said of these clients' flows."""
        if self._painter.unread.take(flows) and not self.hurried:
            self.refresh()

    @property
    def clients_in_view(self) -> frozenset[Endpoint]:
        """The clients of the TCP segments on the screen, and of the one at the cursor."""
        seen = (self.scroll_offset.y, self.page, self.cursor, self.rows.total)
        if seen != self._seen:
            rows = [self.cursor, *range(seen[0], seen[0] + seen[1])]
            flows = [segment.flow for row in rows if (segment := self.rows.at(row)) is not None]
            self._clients = frozenset(flow.client for flow in flows if flow.transport is Transport.TCP)
            self._seen = seen
        return self._clients

    def link(self, numbers: Iterable[int]) -> None:
        """Mark the segments of the selected call in the margin."""
        linked = frozenset(numbers)
        if linked != self._painter.linked:
            self._painter.linked = linked
            self.refresh()

    # The cursor

    def pause(self) -> None:
        """Stop following the newest: the user looks at something."""
        if self.rows.following:
            self.rows.stay(self.rows.index_of(self.cursor))
            self.title.update()

    def go_to(self, number: int) -> None:
        """Put the cursor on the segment with this number (or the next one shown) and stop following."""
        self.rows.stay(number - 1)
        self._settle()
        self.title.update()

    def _put(self, row: int) -> None:
        row = min(max(row, 0), self.rows.count - 1)
        if row != self.cursor:
            self.cursor = row
            if not (self.rows.following and self.flooded):
                self.post_message(self.RowHighlighted(self.highlighted))
        self._into_view()

    def watch_cursor(self, before: int, after: int) -> None:
        """Repaint the two lines; the heading is the first of the virtual lines."""
        self.refresh_line(before + 1)
        self.refresh_line(after + 1)

    def _into_view(self, row: int | None = None) -> None:
        """Scroll to a row, the cursor's if none is given."""
        if not self.size.height:
            return
        row = self.cursor if row is None else row
        top, page = self.scroll_offset.y, self.page
        if row < top:
            scroll_at_once(self, max(row, 0))
        elif row >= top + page:
            scroll_at_once(self, row - page + 1)

    @property
    def page(self) -> int:
        """Lines in view below the heading; at least 1."""
        return max(self.scrollable_content_region.height - 1, 1)

    # Drawing

    def _lay_out(self) -> None:
        width = self.scrollable_content_region.width or 80
        self._painter.fit(width)
        set_content_size(self, Size(width, self.rows.count + 1))
        self.title.update()

    def on_mount(self) -> None:
        """Name keys in the title only while they work."""
        follow_keys(self, self.title.name_keys)

    def on_resize(self) -> None:
        """Fit the columns to the width."""
        self._lay_out()
        self._settle()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """The heading stays on top; below it one segment a line."""
        width = self.scrollable_content_region.width
        if y == 0:
            return self._painter.heading(width)
        row = self.scroll_offset.y + y - 1
        segment = self.rows.at(row)
        if segment is not None:
            return self._painter.line(segment, row == self.cursor, width)
        if y == 1 and not self.rows.count:
            return self._painter.nothing(width, self.rich_style, hint(self, ("filter", "changes it")), live=self._live)
        return Strip.blank(width, self.rich_style)
