"""The wire list's segments as the user moves among them, by keys and by the mouse.

Once the user has moved the cursor, new traffic does not move it; `end` follows the newest segment again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from netlab.capture.model import Segment
from netlab.ui.wire.segment_lines import SegmentLines

KEYS: list[BindingType] = [
    Binding("up,k", "go(-1)", "up", show=False, id="wire.up"),
    Binding("down,j", "go(1)", "down", show=False, id="wire.down"),
    Binding("pageup", "page(-1)", "page up", show=False, id="wire.page_up"),
    Binding("pagedown", "page(1)", "page down", show=False, id="wire.page_down"),
    Binding("home,g", "first", "first", show=False, id="wire.first"),
    Binding("end,G", "follow", "follow", show=False, id="wire.follow",
            tooltip="Go to the newest segment and follow new ones"),
    Binding("enter", "choose", "bytes", show=False, id="wire.bytes", tooltip="Go to the bytes of this segment"),
    Binding("space", "mark", "mark", id="wire.mark", tooltip="Mark or unmark this segment"),
    Binding("z", "freeze", "freeze", id="wire.freeze", tooltip="Stop at this segment, or follow the newest"),
    Binding("apostrophe", "next_mark", "next mark", show=False, id="wire.next_mark", tooltip="Go to the next mark"),
]  # fmt: skip


class SegmentList(SegmentLines):
    """The list of segments: it follows the newest unless the user moves the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = KEYS

    class PastLast(Message):
        """The user moved down beyond the newest segment."""

    class Followed(Message):
        """The user went to the newest segment."""

    @dataclass
    class Selected(Message):
        """The user pressed enter on a segment to see its bytes."""

        segment: Segment

    def _move(self, row: int) -> None:
        """The user moves: on the newest row the list keeps following, elsewhere it pauses."""
        self.rows.following = row >= self.rows.count - 1 and self.rows.following
        self._put(row)
        self.rows.wanted = self.rows.index_of(self.cursor)
        self.title.update()

    def action_go(self, rows: int) -> None:
        """Scroll up or down."""
        if rows > 0 and self.cursor >= self.rows.count - 1:
            self.post_message(self.PastLast())
        self._move(self.cursor + rows)

    def action_page(self, pages: int) -> None:
        """Go a page up or down."""
        self.scroll_to(y=self.scroll_offset.y + pages * self.page, animate=False)
        self._move(self.cursor + pages * self.page)

    def action_first(self) -> None:
        """Go to the oldest segment."""
        self._move(0)

    def action_follow(self) -> None:
        """Go to the newest segment, and follow new ones."""
        self.rows.following = True
        self._put_newest()
        self.title.update()
        self.post_message(self.Followed())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Freezing makes sense only for a live capture."""
        return self._live if action == "freeze" else super().check_action(action, parameters)

    def action_freeze(self) -> None:
        """Stop following, or follow again."""
        if self.rows.following:
            self.pause()
        else:
            self.action_follow()

    def action_choose(self) -> None:
        """Request the bytes."""
        if segment := self.highlighted:
            self.pause()
            self.post_message(self.Selected(segment))

    def action_mark(self) -> None:
        """Mark or unmark the segment."""
        if segment := self.highlighted:
            self.rows.marks ^= {segment.number}
            self.pause()
            self.refresh_line(self.cursor + 1)

    def action_next_mark(self) -> None:
        """Go to the next mark; after the last, to the first."""
        here = self.highlighted.number if self.highlighted else 0
        if (number := self.rows.next_mark(here)) is not None:
            self.go_to(number)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the line under the pointer."""
        place = event.get_content_offset(self)
        if place is not None and place.y and place.y - 1 + self.scroll_offset.y < self.rows.count:
            self._move(place.y - 1 + self.scroll_offset.y)
