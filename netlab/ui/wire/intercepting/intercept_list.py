"""The held segments, below the wire list. It draws them and knows no lab."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from netlab.capture.model import Endpoint, Flow, Kind, Segment, Transport
from netlab.capture.view import CapturedSegments
from netlab.dissect.reading.meanings import How
from netlab.lab.state import HeldSegment
from netlab.ui.bytes.byte_source import StreamSource
from netlab.ui.keys.hints import follow_keys, hint
from netlab.ui.wire.segment_row import what

ROWS = 5
"""At most this many lines; more of them scroll."""
_NOWHERE = Endpoint("", 0)


class HeldList(Widget, can_focus=True):
    """Visible while segments are held. ``cursor`` is a row; `highlighted` the segment on it."""

    DEFAULT_CSS = """
    HeldList {
        dock: bottom; display: none; height: auto; max-height: 6; background: $background;
        border-top: solid $warning; border-title-color: $text-warning; color: $text-warning;
        &.-some { display: block; }
        &:focus { border-top: heavy $warning; border-title-style: bold; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "go(-1)", "up", show=False, id="held.up"),
        Binding("down,j", "go(1)", "down", show=False, id="held.down"),
        Binding("enter", "choose", "bytes", show=False, id="held.bytes", tooltip="Go to the bytes of this segment"),
    ]

    cursor = reactive(0)

    @dataclass
    class HeldHighlighted(Message):
        """The cursor is on another held segment."""

        segment: Segment

    class BytesRequested(Message):
        """The user pressed enter to see the bytes."""

    class PastFirst(Message):
        """The user moved up beyond the first segment."""

    def __init__(self) -> None:
        super().__init__(id="held")
        self.held: tuple[HeldSegment, ...] = ()
        self._segments: list[Segment] = []
        self._how: How = None

    def show(self, held: Sequence[HeldSegment], capture: CapturedSegments | None, how: How) -> None:
        """Show these segments; the cursor stays on its segment, else on its row."""
        before = self.highlighted
        self.held, self._how = tuple(held), how
        self._segments = [as_segment(each, self.held, capture) for each in self.held]
        self.set_class(bool(held), "-some")
        numbers = [each.number for each in self.held]
        row = numbers.index(before.number) if before is not None and before.number in numbers else self.cursor
        self.set_reactive(HeldList.cursor, max(min(row, len(numbers) - 1), 0))
        self._name_keys()
        self.refresh(layout=True)
        if self.has_focus:
            self.post_highlighted()

    def on_mount(self) -> None:
        """Name keys in the title only while they work."""
        follow_keys(self, self._name_keys)

    def _name_keys(self) -> None:
        acts = {"release": "releases", "release_all": "all", "edit": "edits", "drop": "drops", "replay": "replays"}
        keys = hint(self, *((f"want('{what}')", words) for what, words in acts.items()))
        self.border_title = Content(" ── ".join(filter(None, [f"held ── {len(self.held)}", keys]))).markup

    @property
    def highlighted(self) -> HeldSegment | None:
        """The held segment at the cursor, or None."""
        return self.held[self.cursor] if self.cursor < len(self.held) else None

    @property
    def segment(self) -> Segment | None:
        """The held segment at the cursor as a captured segment; its number is 0."""
        return self._segments[self.cursor] if self.cursor < len(self._segments) else None

    def post_highlighted(self) -> None:
        """Post the segment at the cursor."""
        if self.segment is not None:
            self.post_message(self.HeldHighlighted(self.segment))

    def on_focus(self) -> None:
        """Show the cursor, and post its segment."""
        self.refresh()
        self.post_highlighted()

    def on_blur(self) -> None:
        """Hide the cursor."""
        self.refresh()

    def action_go(self, rows: int) -> None:
        """Go up or down; beyond the first, to the segments that crossed."""
        if self.cursor + rows < 0:
            self.post_message(self.PastFirst())
        elif self.cursor + rows < len(self.held):
            self.cursor += rows
            self.post_highlighted()

    def action_choose(self) -> None:
        """Request the bytes."""
        self.post_message(self.BytesRequested())

    def render(self) -> Content:
        """The lines around the cursor."""
        first = max(0, min(self.cursor - ROWS // 2, len(self.held) - ROWS))
        rows = range(first, min(first + ROWS, len(self.held)))
        return Content("\n").join([self._row(row) for row in rows])

    def _row(self, row: int) -> Content:
        held, segment = self.held[row], self._segments[row]
        edited = ", edited" if held.edited else ""
        words = what(segment, self._how)
        facts = f"flow {segment.flow.number} {held.direction.value} {len(held.payload)}"
        text = f"▌{held.number:>2} held{edited}  {facts}  {words}"
        line = Content(text.ljust(self.content_size.width)).truncate(max(self.content_size.width, 1))
        here = row == self.cursor and self.has_focus
        return line.stylize("$block-cursor-foreground on $block-cursor-background bold" if here else "")


def as_segment(held: HeldSegment, all_held: Sequence[HeldSegment], capture: CapturedSegments | None) -> Segment:
    """A held segment as if it had crossed: in the capture's flow, after bytes that crossed or are held before it."""
    flow = next((flow for flow in reversed(capture.flows) if flow.client == held.client), None) if capture else None
    offset = 0
    if flow is not None and capture is not None and flow.transport is Transport.TCP:
        before = [each for each in all_held if each.number < held.number]
        mine = [each for each in before if (each.client, each.direction) == (held.client, held.direction)]
        offset = StreamSource(capture.stream(flow, held.direction)).length + sum(len(each.payload) for each in mine)
    flow = flow or Flow(held.flow, Transport.TCP, held.client, _NOWHERE)
    payload = memoryview(held.payload)
    return Segment(0, held.time_ns, flow, held.direction, Kind.DATA, len(payload), payload, offset)
