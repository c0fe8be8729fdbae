"""The lines of the wire list: every segment of a capture, or those that a filter left, newest last.

Segments are decoded when their line is drawn, so that millions scroll. New traffic never moves the cursor of a person
who has moved it; `end` follows the newest again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from netlab.capture.model import Segment
from netlab.capture.view import CapturedSegments
from netlab.dissect.fields import Dissector
from netlab.ui.keys.hints import follow_keys, hint
from netlab.ui.widgets.line_cache import PlainRows
from netlab.ui.widgets.redraw_rate import Pace
from netlab.ui.widgets.scrolling import scroll_at_once, set_content_size
from netlab.ui.wire.decrypted_lines import OpenedLines
from netlab.ui.wire.segment_painter import STYLES, SegmentPainter
from netlab.ui.wire.segment_rows import SegmentRows

KEYS: list[BindingType] = [
    Binding("up,k", "go(-1)", "up", show=False, id="wire.up"),
    Binding("down,j", "go(1)", "down", show=False, id="wire.down"),
    Binding("pageup", "page(-1)", "page up", show=False, id="wire.page_up"),
    Binding("pagedown", "page(1)", "page down", show=False, id="wire.page_down"),
    Binding("home,g", "first", "first", show=False, id="wire.first"),
    Binding("end,G", "follow", "follow", show=False, id="wire.follow", tooltip="Go to the newest and follow it"),
    Binding("enter", "choose", "bytes", show=False, id="wire.bytes", tooltip="Go to the bytes of this segment"),
    Binding("space", "mark", "mark", id="wire.mark", tooltip="Mark or unmark this segment"),
    Binding("z", "freeze", "freeze", id="wire.freeze", tooltip="Stay here while segments come, or follow the newest"),
    Binding("apostrophe", "next_mark", "next mark", show=False, id="wire.next_mark", tooltip="Go to the next mark"),
]


class SegmentList(ScrollView, can_focus=True):
    """The list of segments. ``cursor`` is a row; `highlighted` the segment on it."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = set(STYLES)
    DEFAULT_CSS = """
    SegmentList {
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
    SegmentList:focus .wire--cursor { background: $block-cursor-background; color: $block-cursor-foreground; }
    """
    BINDINGS: ClassVar[list[BindingType]] = KEYS

    cursor = reactive(-1, repaint=False)

    @dataclass
    class Highlighted(Message):
        """The cursor stands on another segment (None: on none)."""

        segment: Segment | None

    class Left(Message):
        """The cursor was to go down beyond the newest."""

    @dataclass
    class Chosen(Message):
        """Enter was pressed on a segment: the person wants its bytes."""

        segment: Segment

    def __init__(self, *, live: bool, id: str | None = None) -> None:
        """``live``: segments go on coming, so that one may follow them."""
        super().__init__(id=id)
        self._styles_cache = PlainRows()
        self._live = live
        self.rows = SegmentRows()
        """Which segments are shown, and where the person is."""
        self._painter = SegmentPainter(
            self.rows, lambda name, partial: self.get_component_rich_style(name, partial=partial)
        )
        self._pace = Pace()
        self._title = self._how_to_follow = ""

    @property
    def hurried(self) -> bool:
        """Whether more comes than anyone can read. When it is over, the highlighted segment is told once more."""
        return self._pace.hurried

    @property
    def highlighted(self) -> Segment | None:
        """The segment that the cursor stands on."""
        return self.rows.at(self.cursor)

    # What is shown

    def show(self, capture: CapturedSegments | None, dissector: Dissector | None = None) -> None:
        """Show another capture (None: nothing yet) from its newest segment on.

        With a dissector, its summary is what a line says, else a preview of the text.
        """
        self.rows.show(capture)
        self._painter.dissector = dissector
        self._pace.forget()
        self.set_reactive(SegmentList.cursor, -1)
        self.post_message(self.Highlighted(None))
        self.grow()

    def grow(self) -> None:
        """Take in what the capture has more. Cheap when there is nothing new, and unhurried under a flood.

        Whoever calls this calls it again soon.
        """
        if self._pace.look(self.rows.count):
            self._lay_out()
            self._settle()
            self.refresh()
        elif self._pace.tells():
            self.post_message(self.Highlighted(self.highlighted))

    def show_rows(self, rows: Sequence[int] | None, note: str = "") -> None:
        """Show only these segments (indices in ascending order, may grow), or all; ``note`` tells it in the title.

        The cursor stays on its segment, or goes to the next one shown.
        """
        self.rows.show_only(rows, note)
        self._pace.drew(self.rows.count)
        self._lay_out()
        self._settle()
        self.refresh()

    def _settle(self) -> None:
        """Cursor to the newest if it is followed, else to the segment where the person was, or the next one shown."""
        if self.rows.following:
            self._put_newest()
        else:
            self._put(self.rows.place())

    def _put_newest(self) -> None:
        """The newest segment in sight, and the cursor on the newest that has bytes to be looked at."""
        self._put(self.rows.newest_with_bytes())
        self._into_view(self.rows.count - 1)

    def show_opened(self, opened: OpenedLines | None) -> None:
        """What opens the records of encrypted segments, so that a line says what was said."""
        self._painter.opened = opened

    def link(self, numbers: Iterable[int]) -> None:
        """Show in the margin which segments are of the call that is looked at."""
        linked = frozenset(numbers)
        if linked != self._painter.linked:
            self._painter.linked = linked
            self.refresh()

    def note(self, note: str) -> None:
        """Another remark for the title."""
        self.rows.note = note
        self._tell()

    # Movement

    def hold(self) -> None:
        """Stop following the newest: the person looks at something."""
        if self.rows.following:
            self.rows.stay(self.rows.index_of(self.cursor))
            self._tell()

    def go_to(self, number: int) -> None:
        """Put the cursor on the segment with this number (or the next one shown) and stop following."""
        self.rows.stay(number - 1)
        self._settle()
        self._tell()

    def _put(self, row: int) -> None:
        row = min(max(row, 0), self.rows.count - 1)
        if row != self.cursor:
            self.cursor = row
            if not (self.rows.following and self.hurried):
                self.post_message(self.Highlighted(self.highlighted))
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
        top, page = self.scroll_offset.y, self._page()
        if row < top:
            scroll_at_once(self, max(row, 0))
        elif row >= top + page:
            scroll_at_once(self, row - page + 1)

    def _page(self) -> int:
        return max(self.scrollable_content_region.height - 1, 1)

    def _move(self, row: int) -> None:
        """By hand: the newest row follows, any other stays."""
        self.rows.following = row >= self.rows.count - 1 and self.rows.following
        self._put(row)
        self.rows.wanted = self.rows.index_of(self.cursor)
        self._tell()

    def action_go(self, rows: int) -> None:
        """Up or down."""
        if rows > 0 and self.cursor >= self.rows.count - 1:
            self.post_message(self.Left())
        self._move(self.cursor + rows)

    def action_page(self, pages: int) -> None:
        """A page up or down."""
        self.scroll_to(y=self.scroll_offset.y + pages * self._page(), animate=False)
        self._move(self.cursor + pages * self._page())

    def action_first(self) -> None:
        """The oldest segment."""
        self._move(0)

    def action_follow(self) -> None:
        """The newest segment, and whatever comes."""
        self.rows.following = True
        self._put_newest()
        self._tell()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A file does not grow."""
        return self._live if action == "freeze" else super().check_action(action, parameters)

    def action_freeze(self) -> None:
        """Stop following, or follow again."""
        if self.rows.following:
            self.hold()
        else:
            self.action_follow()

    def action_choose(self) -> None:
        """Ask for the bytes."""
        if segment := self.highlighted:
            self.hold()
            self.post_message(self.Chosen(segment))

    def action_mark(self) -> None:
        """Mark or unmark."""
        if segment := self.highlighted:
            self.rows.marks ^= {segment.number}
            self.hold()
            self.refresh_line(self.cursor + 1)

    def action_next_mark(self) -> None:
        """Go to the next mark, from the last to the first."""
        here = self.highlighted.number if self.highlighted else 0
        if (number := self.rows.next_mark(here)) is not None:
            self.go_to(number)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the line under the pointer."""
        place = event.get_content_offset(self)
        if place is not None and place.y and place.y - 1 + self.scroll_offset.y < self.rows.count:
            self._move(place.y - 1 + self.scroll_offset.y)

    # Drawing

    def _lay_out(self) -> None:
        width = self.scrollable_content_region.width or 80
        self._painter.fit(width)
        set_content_size(self, Size(width, self.rows.count + 1))
        self._tell()

    def _tell(self) -> None:
        title = self.rows.title(self._live, self._how_to_follow)
        if title != self._title:
            self._title = title
            self.border_title = Content(title).markup

    def on_mount(self) -> None:
        """Name keys in the title only while they act."""
        follow_keys(self, self._name_keys)

    def _name_keys(self) -> None:
        self._how_to_follow = hint(self, ("follow", "follows"))
        self._tell()

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
