"""The inspector: the dissected bytes of a segment, of its whole stream, of a session's own buffer, or of a view."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from netlab.capture.model import Direction, Segment
from netlab.capture.view import CapturedSegments
from netlab.dissect.fields import Dissection
from netlab.dissect.reading.meanings import How
from netlab.ui.bytes.byte_source import ByteSource, ViewSource
from netlab.ui.bytes.client_buffer import ClientBuffer, Lender
from netlab.ui.bytes.diff import Diff
from netlab.ui.bytes.fields.dissected_pane import NOTHING, DissectedPane
from netlab.ui.bytes.inspection import Inspection, inspect_changed, inspect_dropped, inspect_segment, inspect_stream

if TYPE_CHECKING:
    from netlab.ui.bytes.viewed_bytes import ViewedBytes


class Mode(Enum):
    """What the inspector shows."""

    SEGMENT = "segment"
    STREAM = "stream"
    OTHER_STREAM = "other stream"
    """The other direction's stream."""
    BUFFER = "buffer"
    """The current session's own buffer, if its client has one."""
    VIEW = "view"
    """A view that was chosen among the views, if they are shown."""


_NEXT = {
    Mode.SEGMENT: Mode.STREAM,
    Mode.STREAM: Mode.OTHER_STREAM,
    Mode.OTHER_STREAM: Mode.BUFFER,
    Mode.BUFFER: Mode.VIEW,
    Mode.VIEW: Mode.SEGMENT,
}


class Inspector(DissectedPane):
    """Shows a segment, its stream, or the buffer of a session's client."""

    DEFAULT_CSS = """
    Inspector .panel { height: auto; max-height: 75%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "follow_stream", "stream", id="bytes.stream",
                tooltip="Show in turn the segment, its stream, the other direction's, the client's buffer, the view"),
        Binding("i", "entered", "as it entered", show=False, id="bytes.entered",
                tooltip="Show a changed segment as it entered the wire, or as it left"),
    ]  # fmt: skip

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.mode = Mode.SEGMENT
        self.make_panel: Callable[[], Callable[[], object] | None] = lambda: None
        """Returns the class of the panel below a session's buffer; called when a buffer is first shown."""
        self._stream_key: tuple[int, Direction] | None = None
        self._entered = False
        self._buffer = ClientBuffer()
        self._viewed: ViewedBytes | None = None
        self._panel: Widget | None = None
        self._chose = False  # the user chose the mode: the program does not change it

    def on_mount(self) -> None:
        """Show that there is nothing yet."""
        super().on_mount()
        self._show()

    def show_segment(
        self,
        segment: Segment | None,
        capture: CapturedSegments | None,
        how: How,
        *,
        chosen: bool = False,
        flooded: bool = False,
    ) -> None:
        """Show a segment of a capture (None: nothing), read as ``how`` says (None: raw bytes).

        A session's buffer stays in view unless the user has ``chosen`` the segment. In a flood (``flooded``) only
        short segments are dissected, without the stream up to them.
        """
        self._flooded = flooded
        held = self.mode in (Mode.BUFFER, Mode.VIEW)
        if (self._capture is not capture and self.mode is not Mode.VIEW) or (chosen and held):
            self._chose = chosen
            self.mode = Mode.SEGMENT
        self._segment, self._capture, self._how = segment, capture, how
        self._entered = False
        if self.is_mounted and self.mode not in (Mode.BUFFER, Mode.VIEW):
            self._show()

    def show_source(
        self, source: ByteSource, title: str, dissection: Dissection = NOTHING, *, keep: bool = False
    ) -> None:
        """Show any bytes; ``keep`` leaves the cursor where it is (the same bytes, changed)."""
        self._put(Inspection(source, title), keep=keep)
        self.show_fields(dissection)

    def readable_segment(self) -> tuple[Segment, CapturedSegments] | None:
        """The segment and its capture, unless something else is shown, or the segment did not cross as it is."""
        segment, capture = self._segment, self._capture
        if self.mode is not Mode.SEGMENT or segment is None or capture is None or not segment.number:
            return None
        return (segment, capture) if segment.data and segment.original is None else None

    # Which bytes

    def action_follow_stream(self) -> None:
        """Show in turn the segment, its direction's stream, the other direction's stream, the session's buffer, and
        the view that was chosen."""
        self.mode = _NEXT[self.mode]
        if self.mode is Mode.BUFFER and not self._buffer.there:
            self.mode = _NEXT[self.mode]
        if self.mode is Mode.VIEW and self._viewed is None:
            self.mode = _NEXT[self.mode]
        self._chose = True
        self._stream_key = None
        self.post_message(self.PauseRequested())
        self._show()

    def look(self, client: object | None, lender: Lender | None = None) -> None:
        """Follow the buffer of a session's client. The first one with bytes is shown, unless the user chose a mode.

        ``lender`` lends the buffer for each look; without one, the client's view of it is read.
        """
        replaced, grew = self._buffer.follow(client, lender)
        if replaced and self._buffer.there and not self._chose and self.mode is Mode.SEGMENT:
            self.mode = Mode.BUFFER
        if self.mode is Mode.VIEW:
            self._look_at_view()
        if self.mode is not Mode.BUFFER:
            return
        if replaced:
            self._show()
        elif grew:
            self.bytes.border_title = self._buffer.title
            self.bytes.refresh()
        elif self._buffer.rewritten(*self.bytes.page) or self._buffer.source.look_again():
            self.bytes.refresh()
            self._look()
        if self._panel is not None:
            self._panel.look(client)  # type: ignore[attr-defined]  # as netlab.topics.contract says of a Panel

    def show_view(self, viewed: ViewedBytes | None, *, keep: bool = False) -> None:
        """Show what a view covers of its buffer. ``keep``: the same view, looked at again. None: it is gone."""
        self._viewed = viewed
        if viewed is not None:
            self.mode = Mode.VIEW
            self._show()
            if not keep:
                self.bytes.move_to(viewed.first)
        elif self.mode is Mode.VIEW:
            self.mode = Mode.BUFFER if self._buffer.there and not self._chose else Mode.SEGMENT
            self._show()

    @property
    def viewed_index(self) -> tuple[int, ...] | None:
        """The index of the chosen view's element at the cursor; None if there is none."""
        cover = self._viewed.cover if self._viewed is not None and self.mode is Mode.VIEW else None
        element = cover.at(self.bytes.cursor) if cover is not None else None
        return element.index if element is not None else None

    def _look_at_view(self) -> None:
        """Show what was written into the buffer since the last look."""
        if self._viewed is not None and (self._buffer.rewritten(*self.bytes.page) or self._viewed.source.look_again()):
            self.bytes.refresh()
            self._look()

    def _show(self) -> None:
        segment, capture = self._segment, self._capture
        self._show_panel(self.mode is Mode.BUFFER)
        self.bytes.empty = "no bytes" if segment is not None else "The bytes of the selected segment appear here."
        self.data_inspector.element = lambda at: ""
        if self.mode is Mode.VIEW and self._viewed is not None:
            self.data_inspector.element = self._viewed.element_at
            self._put(Inspection(self._viewed.source, self._viewed.title), keep=True)
            self.bytes.lay_cover(self._viewed.cover)
            self.show_fields(NOTHING)
        elif self.mode is Mode.BUFFER:
            self._put(Inspection(self._buffer.source, self._buffer.title, chunks=True), keep=True)
            self.show_fields(NOTHING)
        elif segment is not None and capture is not None and self.mode is not Mode.SEGMENT:
            self._show_stream(segment, capture)
        elif segment is None:
            self.show_source(ViewSource(), "bytes ── no segment")
        else:
            self._show_alone(segment, capture)

    def _show_panel(self, wanted: bool) -> None:
        if self._panel is None and wanted:
            kind = self.make_panel()
            self._panel = kind() if kind is not None else None  # type: ignore[assignment]  # a Panel is a widget
            if self._panel is not None:
                self._panel.add_class("panel")
                self.mount(self._panel, before=self.fields)
        if self._panel is not None:
            self._panel.display = wanted
            self._share_rows()

    def _show_alone(self, segment: Segment, capture: CapturedSegments | None, *, keep: bool = False) -> None:
        change = Diff.of(segment)
        if segment.dropped is not None:
            self._read(inspect_dropped(segment, segment.dropped))
        elif change is None:
            self._read(inspect_segment(segment, capture, flooded=self._flooded, place=self._place(segment)))
        else:
            self._read(inspect_changed(segment, change, self._entered), keep=keep)

    def _show_stream(self, segment: Segment, capture: CapturedSegments) -> None:
        direction = segment.direction if self.mode is Mode.STREAM else segment.direction.other
        before, self._stream_key = self._stream_key, (segment.flow.number, direction)
        at = segment.offset if before != self._stream_key and direction is segment.direction else None
        self._read(inspect_stream(segment, capture, direction), keep=before == self._stream_key, at=at)

    def action_entered(self) -> None:
        """Toggle a changed segment: as it entered the wire, as it left."""
        segment = self._segment
        if segment is None or segment.original is None or segment.dropped or self.mode is not Mode.SEGMENT:
            gone = segment is not None and segment.dropped
            why = "the wire dropped these bytes: they only entered" if gone else "the wire did not change these bytes"
            self.notify(why, severity="warning", markup=False)
            return
        self._entered = not self._entered
        self.post_message(self.PauseRequested())
        self._show_alone(segment, self._capture, keep=True)
