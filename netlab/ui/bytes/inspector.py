"""The inspector: the dissected bytes of a segment, of its whole stream, or of a session's own buffer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

from netlab.capture.model import Direction, Flow, Segment
from netlab.capture.view import CapturedSegments
from netlab.dissect.fields import Dissection
from netlab.dissect.reading.flow_reader import FlowReader
from netlab.dissect.reading.meanings import How, Meanings
from netlab.ui.bytes.byte_source import ByteSource, ViewSource
from netlab.ui.bytes.client_buffer import ClientBuffer
from netlab.ui.bytes.diff import Diff
from netlab.ui.bytes.fields.dissecting import Extent, Reads, dissect
from netlab.ui.bytes.fields.plaintext import DissectedBytes, EncryptedFlow, Plaintexts
from netlab.ui.bytes.fields.tshark_fields import TsharkPane
from netlab.ui.bytes.inspection import Inspection, inspect_changed, inspect_dropped, inspect_segment, inspect_stream
from netlab.ui.keys.hints import hint

_TOO_FAST = "too fast to dissect; it waits until traffic slows down or you move the cursor"
_NOTHING = Dissection(())


class Mode(Enum):
    """What the inspector shows."""

    SEGMENT = "segment"
    STREAM = "stream"
    OTHER_STREAM = "other stream"
    """The other direction's stream."""
    BUFFER = "buffer"
    """The current session's own buffer, if its client has one."""


_NEXT = {
    Mode.SEGMENT: Mode.STREAM,
    Mode.STREAM: Mode.OTHER_STREAM,
    Mode.OTHER_STREAM: Mode.BUFFER,
    Mode.BUFFER: Mode.SEGMENT,
}


@dataclass(frozen=True, slots=True)
class DissectionRequest:
    """What to dissect in a thread: the extent, who reads it, and the flow if it can be decrypted."""

    extent: Callable[[], Extent]
    reads: Reads | None
    sealed: EncryptedFlow | None


class Inspector(TsharkPane):
    """Shows a segment, its stream, or the buffer of a session's client."""

    DEFAULT_CSS = """
    Inspector .panel { height: auto; max-height: 75%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "follow_stream", "stream", id="bytes.stream",
                tooltip="Show in turn the segment, its stream, the other direction's, and the client's buffer"),
        Binding("p", "plaintext", "plaintext", show=False, id="bytes.plaintext",
                tooltip="Show the plaintext in place of the encrypted bytes, or the bytes again"),
        Binding("i", "entered", "as it entered", show=False, id="bytes.entered",
                tooltip="Show a changed segment as it entered the wire, or as it left"),
        Binding("D", "dissect_as", "dissect as", show=False, id="bytes.dissect_as",
                tooltip="Choose as what protocol this flow, or its port, is read"),
    ]  # fmt: skip

    class DissectAsRequested(Message):
        """The user wants the shown flow to be read as another protocol."""

        def __init__(self, flow: Flow | None) -> None:
            super().__init__()
            self.flow = flow

    @dataclass
    class DissectionReady(Message):
        """The thread has dissected what was requested."""

        wanted: DissectionRequest
        understood: DissectedBytes

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.mode = Mode.SEGMENT
        self.plaintexts: Plaintexts | None = None
        """Decrypts flows, if the topic's bytes are encrypted."""
        self.make_panel: Callable[[], Callable[[], object] | None] = lambda: None
        """Returns the class of the panel below a session's buffer; called when a buffer is first shown."""
        self._segment: Segment | None = None
        self._capture: CapturedSegments | None = None
        self._how: How = None
        self._wanted: DissectionRequest | None = None
        self._reading = False
        self._stream_key: tuple[int, Direction] | None = None
        self._inspection = Inspection(ViewSource(), "")
        self._understood = DissectedBytes(_NOTHING)
        self._plain = False
        self._entered = False
        self._buffer = ClientBuffer()
        self._panel: Widget | None = None
        self._flooded = False
        self._chose = False  # the user chose the mode: the program does not change it

    def on_mount(self) -> None:
        """Show that there is nothing yet."""
        super().on_mount()
        self._show()

    def name_keys(self) -> None:
        """Update the keys that are named on the screen."""
        super().name_keys()
        if self._understood.plain is not None:
            self._name_turn()

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
        if self._capture is not capture or (chosen and self.mode is Mode.BUFFER):
            self._chose = chosen
            self.mode = Mode.SEGMENT
        self._segment, self._capture, self._how = segment, capture, how
        self._entered = False
        if self.is_mounted and self.mode is not Mode.BUFFER:
            self._show()

    def show_source(
        self, source: ByteSource, title: str, dissection: Dissection = _NOTHING, *, keep: bool = False
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

    def protocol_read(self) -> str:
        """The name of the protocol as which the shown flow is read."""
        if self._segment is None or not isinstance(self._how, Meanings):
            return ""
        return self._how.of(self._segment.flow).protocol.name

    # Which bytes

    def action_follow_stream(self) -> None:
        """Show in turn the segment, its direction's stream, the other direction's stream and the session's buffer."""
        self.mode = _NEXT[self.mode]
        if self.mode is Mode.BUFFER and not self._buffer.there:
            self.mode = Mode.SEGMENT
        self._chose = True
        self._stream_key = None
        self.post_message(self.PauseRequested())
        self._show()

    def look(self, client: object | None) -> None:
        """Follow the buffer of a session's client. The first one with bytes is shown, unless the user chose a mode."""
        replaced, grew = self._buffer.follow(client)
        if replaced and self._buffer.there and not self._chose and self.mode is Mode.SEGMENT:
            self.mode = Mode.BUFFER
        if self.mode is not Mode.BUFFER:
            return
        if replaced:
            self._show()
        elif grew:
            self.bytes.border_title = self._buffer.title
            self.bytes.refresh()
        elif self._buffer.rewritten(*self.bytes.page):
            self.bytes.refresh()
            self._look()
        if self._panel is not None:
            self._panel.look(client)  # type: ignore[attr-defined]  # as netlab.topics.contract says of a Panel

    def _show(self) -> None:
        segment, capture = self._segment, self._capture
        self._show_panel(self.mode is Mode.BUFFER)
        self.bytes.empty = "no bytes" if segment is not None else "The bytes of the selected segment appear here."
        if self.mode is Mode.BUFFER:
            self._put(Inspection(self._buffer.source, self._buffer.title, chunks=True), keep=True)
            self.show_fields(_NOTHING)
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

    def _put(self, inspection: Inspection, *, keep: bool = False) -> None:
        """Show other bytes, not dissected yet."""
        self._wanted, self._inspection, self._understood = None, inspection, DissectedBytes(_NOTHING)
        self.show_bytes(
            inspection.source, inspection.title, chunks=inspection.chunks, marks=inspection.marks, keep=keep
        )

    # Two ways to see them

    def action_plaintext(self) -> None:
        """Toggle between the plaintext, if there is any, and the encrypted bytes."""
        if self._understood.plain is None and not self._plain:
            why = self._understood.remark or "the plaintext of these bytes is unknown"
            self.notify(why, severity="warning", markup=False)
            return
        self._plain = not self._plain
        self.post_message(self.PauseRequested())
        self._turn()

    def _turn(self) -> None:
        """Show the bytes as they crossed, or their plaintext."""
        inspection, plain = self._inspection, self._understood.plain
        self._turn_to(0)
        if self._plain and plain is not None:
            whose = self.plaintexts.whose if self.plaintexts is not None else "secrets"
            self.bytes.show(plain, keep=True)
            self.bytes.border_title = f"plaintext of {inspection.name} ── decrypted with {whose}"
            at = self.bytes.cursor
            for _, end in plain.gaps(at, plain.length)[:1] if plain.gaps(at, at + 1) else ():
                self.bytes.move_to(end)  # to the plaintext
        else:
            self.bytes.show(inspection.source, chunks=inspection.chunks, marks=inspection.marks, keep=True)
            self.bytes.border_title = inspection.title
        self._name_turn()

    def _name_turn(self) -> None:
        self._note = self._turn_note
        self.fields.remind(self.notes)

    @property
    def _turn_note(self) -> str:
        """Says that the plaintext is known, and which key shows it."""
        if self._understood.plain is None:
            return ""
        words = "shows the encrypted bytes" if self._plain else "shows the plaintext"
        return hint(self, ("plaintext", words)) or ("" if self._plain else "plaintext known")

    def action_dissect_as(self) -> None:
        """Ask as what the flow is to be read."""
        self.post_message(self.DissectAsRequested(self._segment.flow if self._segment is not None else None))

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

    # Dissecting: small ones at once, large and encrypted ones in a thread, which takes only the latest request

    def _read(self, inspection: Inspection, *, keep: bool = False, at: int | None = None) -> None:
        """Show bytes, with the cursor ``at`` an offset if one is given, and dissect them."""
        self._put(inspection, keep=keep)
        if at is not None:
            self.bytes.move_to(at)
        if inspection.extent is None:
            self.show_fields(_NOTHING)
            return
        reads, sealed = self._reads(), None if self._flooded else self._sealed()
        if not self._takes_long(inspection, reads):
            dissection = dissect(inspection.extent(), reads) if reads is not None else _NOTHING
            self.show_fields(dissection, remark=inspection.remark)
            reads = reads if sealed is not None else None
        elif reads is not None or sealed is not None:
            self.show_fields(_NOTHING, _TOO_FAST if self._flooded else "dissecting…", inspection.remark)
        else:
            self.show_fields(_NOTHING, remark=inspection.remark)
        if sealed is not None or (reads is not None and not self._flooded):
            self._wanted = DissectionRequest(inspection.extent, reads, sealed)
            if not self._reading:
                self._start(self._wanted)

    def _reads(self) -> Reads | None:
        """Who reads the shown flow."""
        if self._segment is None or not isinstance(self._how, Meanings):
            return self._how if not isinstance(self._how, Meanings) else None
        meaning = self._how.of(self._segment.flow)
        return meaning.dissector or meaning.reader

    @property
    def notes(self) -> str:
        """As what the flow is read, where that is not given, and the other notes."""
        more = super().notes
        if self._segment is None or not isinstance(self._how, Meanings) or not self._how.guesses:
            return more
        protocol = self._how.of(self._segment.flow).protocol
        return ", ".join(filter(None, (f"as {protocol.title}", more)))

    def _place(self, segment: Segment) -> int | None:
        """Where a segment that crossed begins in its stream."""
        return self._how.place(segment)[0] if isinstance(self._how, Meanings) and segment.number else None

    def _takes_long(self, inspection: Inspection, reads: Reads | None) -> bool:
        """Whether dissecting takes so long that keys would wait."""
        segment, how = self._segment, self._how
        if not isinstance(reads, FlowReader) or segment is None or not isinstance(how, Meanings):
            return inspection.long
        alone = segment.original is not None or segment.dropped is not None or not segment.number
        if self.mode is Mode.SEGMENT and not alone:
            return not how.at_once(segment, reads)
        return inspection.long or how.slow

    def _sealed(self) -> EncryptedFlow | None:
        """What decrypting the shown flow takes; None if it cannot be decrypted."""
        segment, capture = self._segment, self._capture
        if self.plaintexts is None or segment is None or capture is None or segment.original is not None:
            return None
        return self.plaintexts.sealed(segment.flow, capture)

    def _start(self, wanted: DissectionRequest) -> None:
        self._reading = True
        plaintexts = self.plaintexts or Plaintexts(lambda: None, str)

        def work() -> None:
            understood = plaintexts.understood(wanted.extent(), wanted.reads, wanted.sealed)
            self.post_message(self.DissectionReady(wanted, understood))

        self.run_worker(work, name="dissect", group="dissect", thread=True, exit_on_error=False)

    def on_inspector_dissection_ready(self, event: DissectionReady) -> None:
        """Show the result if it is still wanted, else start the latest request."""
        event.stop()
        self._reading = False
        if self._wanted is event.wanted:
            understood = self._understood = event.understood
            self.show_fields(understood.dissection, self._turn_note, understood.remark or self._inspection.remark)
            if self._plain:
                self._turn()
        elif self._wanted is not None:
            self._start(self._wanted)
