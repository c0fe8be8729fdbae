"""The inspector: the bytes of a segment, or of its whole stream, dissected."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from netlab.capture.model import Direction, Kind, Segment
from netlab.dissect.export import count_of_bytes
from netlab.dissect.fields import Dissection, Dissector
from netlab.ui.byte_source import ByteSource, StreamSource, ViewSource
from netlab.ui.bytes_pane import BytesPane
from netlab.ui.captured import Captured
from netlab.ui.dissecting import Extent, dissect, segment_extent, stream_extent

_AT_ONCE = 1 << 15
"""Up to this many bytes are dissected at once, more in a thread."""
_NOTHING = Dissection(())


class Mode(Enum):
    """What the inspector shows of the flow."""

    SEGMENT = "segment"
    STREAM = "stream"
    OTHER_STREAM = "other stream"
    """The other direction's stream."""


_NEXT = {Mode.SEGMENT: Mode.STREAM, Mode.STREAM: Mode.OTHER_STREAM, Mode.OTHER_STREAM: Mode.SEGMENT}


class Inspector(BytesPane):
    """Shows the segment that it is given, or follows its stream."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "follow_stream", "stream", show=False, id="bytes.stream",
                tooltip="Follow the stream: this direction, the other, or the segment alone"),
    ]  # fmt: skip

    @dataclass
    class Dissected(Message):
        """A dissection that took a thread is there."""

        extent: Extent
        dissection: Dissection

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.mode = Mode.SEGMENT
        self._segment: Segment | None = None
        self._capture: Captured | None = None
        self._dissector: Dissector | None = None
        self._wanted: Extent | None = None
        self._dissecting = False
        self._stream_key: tuple[int, Direction] | None = None

    def on_mount(self) -> None:
        """Say that there is nothing yet."""
        self._show()

    def show_segment(self, segment: Segment | None, capture: Captured | None, dissector: Dissector | None) -> None:
        """Show a segment of a capture (None: nothing), read by a dissector (None: raw bytes)."""
        if self._capture is not capture:
            self.mode = Mode.SEGMENT
        self._segment, self._capture, self._dissector = segment, capture, dissector
        if self.is_mounted:
            self._show()

    def show_source(
        self, source: ByteSource, title: str, dissection: Dissection = _NOTHING, *, keep: bool = False
    ) -> None:
        """Show any bytes, such as a session's own buffer; ``keep`` leaves the cursor (the same bytes, changed)."""
        self._wanted = None
        self.show_bytes(source, dissection, title, keep=keep)

    def action_follow_stream(self) -> None:
        """Segment, its direction's stream, the other direction's stream, and around."""
        self.mode = _NEXT[self.mode]
        self._stream_key = None
        self.post_message(self.Held())
        self._show()

    def _show(self) -> None:
        segment, capture = self._segment, self._capture
        if segment is not None and capture is not None and self.mode is not Mode.SEGMENT:
            self._show_stream(segment, capture)
        elif segment is None:
            self.show_source(ViewSource(), "bytes ── no segment")
        else:
            self._show_alone(segment, capture)

    def _show_alone(self, segment: Segment, capture: Captured | None) -> None:
        self.show_bytes(ViewSource(segment.data), _NOTHING, _title(segment))
        if segment.data:
            self._read(segment_extent(segment, capture))

    def _show_stream(self, segment: Segment, capture: Captured) -> None:
        direction = segment.direction if self.mode is Mode.STREAM else segment.direction.other
        source = StreamSource(capture.stream(segment.flow, direction))
        key = (segment.flow.number, direction)
        title = f"stream {segment.flow.number} {direction.value} ── {count_of_bytes(source.length)}, chunk marks │"
        self.show_bytes(source, _NOTHING, title, chunks=True, keep=key == self._stream_key)
        if key != self._stream_key and direction is segment.direction:
            self.bytes.move_to(segment.offset)
        self._stream_key = key
        self._read(stream_extent(source, direction))

    # Dissection: small at once, large in a thread, and there only the latest that is wanted

    def _read(self, extent: Extent) -> None:
        self._wanted = None
        dissector = self._dissector
        if dissector is None:
            return
        if len(extent.view) <= _AT_ONCE:
            self.show_fields(dissect(extent, dissector))
            return
        self._wanted = extent
        self.show_fields(_NOTHING, "reading…")
        if not self._dissecting:
            self._start(extent, dissector)

    def _start(self, extent: Extent, dissector: Dissector) -> None:
        self._dissecting = True

        def work() -> None:
            self.post_message(self.Dissected(extent, dissect(extent, dissector)))

        self.run_worker(work, name="dissect", group="dissect", thread=True, exit_on_error=False)

    def on_inspector_dissected(self, event: Dissected) -> None:
        """Show it if it is still wanted, else begin with what is."""
        event.stop()
        self._dissecting = False
        if self._wanted is event.extent:
            self.show_fields(event.dissection)
        elif self._wanted is not None and self._dissector is not None:
            self._start(self._wanted, self._dissector)


def _title(segment: Segment) -> str:
    """What the bytes are, and that none was copied."""
    if segment.kind is not Kind.DATA and not segment.data:
        return f"bytes ── #{segment.number} {segment.kind.value}, no bytes"
    kept = f", {count_of_bytes(len(segment.data))} kept" if len(segment.data) < segment.length else ""
    length = count_of_bytes(segment.length)
    return f"bytes ── #{segment.number} {segment.direction.value} {length}{kept}, memoryview, 0 copies"
