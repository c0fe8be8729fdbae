"""The inspector: the bytes of a segment, of its whole stream, or of a session's own buffer, dissected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

from netlab.capture.model import Direction, Segment
from netlab.capture.view import CapturedSegments
from netlab.dissect.fields import Dissection, Dissector
from netlab.ui.bytes.byte_source import ByteSource, ViewSource
from netlab.ui.bytes.bytes_pane import BytesPane
from netlab.ui.bytes.client_buffer import HeldBuffer
from netlab.ui.bytes.diff import Change
from netlab.ui.bytes.dissecting import Extent, dissect
from netlab.ui.bytes.inspection import Face, changed_face, dropped_face, segment_face, stream_face
from netlab.ui.bytes.plaintext import Plaintexts, Sealed, Understood
from netlab.ui.keys.hints import hint

_TOO_FAST = "too fast to be read: read when it is over, or when you move"
_NOTHING = Dissection(())


class Mode(Enum):
    """What the inspector shows."""

    SEGMENT = "segment"
    STREAM = "stream"
    OTHER_STREAM = "other stream"
    """The other direction's stream."""
    BUFFER = "buffer"
    """The current session's own buffer, where its client has one."""


_NEXT = {
    Mode.SEGMENT: Mode.STREAM,
    Mode.STREAM: Mode.OTHER_STREAM,
    Mode.OTHER_STREAM: Mode.BUFFER,
    Mode.BUFFER: Mode.SEGMENT,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be understood: an extent, made in a thread, by which dissector, and its flow if that may be opened."""

    extent: Callable[[], Extent]
    dissector: Dissector | None
    sealed: Sealed | None


class Inspector(BytesPane):
    """Shows the segment that it is given, follows its stream, or follows the buffer of a session's client."""

    DEFAULT_CSS = """
    Inspector .panel { height: auto; max-height: 75%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "follow_stream", "stream", id="bytes.stream",
                tooltip="The segment, its stream, the other direction's, and this client's own buffer if it has one"),
        Binding("p", "plaintext", "plaintext", show=False, id="bytes.plaintext",
                tooltip="The plaintext in the place of the bytes that carried it, or those bytes"),
        Binding("i", "entered", "as it entered", show=False, id="bytes.entered",
                tooltip="A segment that the wire changed: as it entered the wire, or as it left"),
    ]  # fmt: skip

    @dataclass
    class Read(Message):
        """What took a thread is understood."""

        wanted: Wanted
        understood: Understood

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.mode = Mode.SEGMENT
        self.plaintexts: Plaintexts | None = None
        """What opens flows, where the topic's bytes are encrypted."""
        self.make_panel: Callable[[], Callable[[], object] | None] = lambda: None
        """Gives the class of what stands under a session's buffer; asked when a buffer is first shown."""
        self._segment: Segment | None = None
        self._capture: CapturedSegments | None = None
        self._dissector: Dissector | None = None
        self._wanted: Wanted | None = None
        self._reading = False
        self._stream_key: tuple[int, Direction] | None = None
        self._face = Face(ViewSource(), "")
        self._understood = Understood(_NOTHING)
        self._plain = False
        self._entered = False
        self._held = HeldBuffer()
        self._panel: Widget | None = None
        self._hurried = False
        self._chose = False  # a person chose the mode: nothing else changes it

    def on_mount(self) -> None:
        """Say that there is nothing yet."""
        super().on_mount()
        self._show()

    def name_keys(self) -> None:
        """Other keys act than before."""
        super().name_keys()
        if self._understood.plain is not None:
            self._name_turn()

    def show_segment(
        self,
        segment: Segment | None,
        capture: CapturedSegments | None,
        dissector: Dissector | None,
        *,
        chosen: bool = False,
        hurried: bool = False,
    ) -> None:
        """Show a segment of a capture (None: nothing), read by a dissector (None: raw bytes).

        A session's buffer goes on being shown, unless the person has ``chosen`` the segment. In a flood (``hurried``)
        only what is quick is read: the segment without the stream that leads to it, and nothing of a long one.
        """
        self._hurried = hurried
        if self._capture is not capture or (chosen and self.mode is Mode.BUFFER):
            self._chose = chosen
            self.mode = Mode.SEGMENT
        self._segment, self._capture, self._dissector = segment, capture, dissector
        self._entered = False
        if self.is_mounted and self.mode is not Mode.BUFFER:
            self._show()

    def show_source(
        self, source: ByteSource, title: str, dissection: Dissection = _NOTHING, *, keep: bool = False
    ) -> None:
        """Show any bytes; ``keep`` leaves the cursor (the same bytes, changed)."""
        self._put(Face(source, title), keep=keep)
        self.show_fields(dissection)

    # Which bytes

    def action_follow_stream(self) -> None:
        """Segment, its direction's stream, the other direction's stream, the session's buffer, and around."""
        self.mode = _NEXT[self.mode]
        if self.mode is Mode.BUFFER and not self._held.there:
            self.mode = Mode.SEGMENT
        self._chose = True
        self._stream_key = None
        self.post_message(self.Held())
        self._show()

    def look(self, client: object | None) -> None:
        """Follow the buffer of a session's client. The first one to hold bytes is shown, unless a person chose else."""
        replaced, grew = self._held.follow(client)
        if replaced and self._held.there and not self._chose and self.mode is Mode.SEGMENT:
            self.mode = Mode.BUFFER
        if self.mode is not Mode.BUFFER:
            return
        if replaced:
            self._show()
        elif grew:
            self.bytes.border_title = self._held.title
            self.bytes.refresh()
        elif self._held.rewritten(*self.bytes.page):
            self.bytes.refresh()
            self._look()
        if self._panel is not None:
            self._panel.look(client)  # type: ignore[attr-defined]  # as netlab.topics.contract says of a Panel

    def _show(self) -> None:
        segment, capture = self._segment, self._capture
        self._show_panel(self.mode is Mode.BUFFER)
        self.bytes.empty = "no bytes" if segment is not None else "the bytes of the segment at the cursor will be here"
        if self.mode is Mode.BUFFER:
            self._put(Face(self._held.source, self._held.title, chunks=True), keep=True)
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
        change = Change.of(segment)
        if segment.dropped is not None:
            self._read(dropped_face(segment, segment.dropped))
        elif change is None:
            self._read(segment_face(segment, capture, hurried=self._hurried))
        else:
            self._read(changed_face(segment, change, self._entered), keep=keep)

    def _show_stream(self, segment: Segment, capture: CapturedSegments) -> None:
        direction = segment.direction if self.mode is Mode.STREAM else segment.direction.other
        before, self._stream_key = self._stream_key, (segment.flow.number, direction)
        at = segment.offset if before != self._stream_key and direction is segment.direction else None
        self._read(stream_face(segment, capture, direction), keep=before == self._stream_key, at=at)

    def _put(self, face: Face, *, keep: bool = False) -> None:
        """Other bytes, about which nothing is understood yet."""
        self._wanted, self._face, self._understood = None, face, Understood(_NOTHING)
        self.show_bytes(face.source, face.title, chunks=face.chunks, marks=face.marks, keep=keep)

    # Two ways to see them

    def action_plaintext(self) -> None:
        """Turn the plaintext over, where there is any."""
        if self._understood.plain is None and not self._plain:
            why = self._understood.remark or "no plaintext is known of what these bytes carried"
            self.notify(why, severity="warning", markup=False)
            return
        self._plain = not self._plain
        self.post_message(self.Held())
        self._turn()

    def _turn(self) -> None:
        """Draw the bytes as they crossed, or what they carried."""
        face, plain = self._face, self._understood.plain
        if self._plain and plain is not None:
            whose = self.plaintexts.whose if self.plaintexts is not None else "secrets"
            self.bytes.show(plain, keep=True)
            self.bytes.border_title = f"plaintext of {face.name} ── by {whose}"
            at = self.bytes.cursor
            for _, end in plain.gaps(at, plain.length)[:1] if plain.gaps(at, at + 1) else ():
                self.bytes.move_to(end)  # to what was carried
        else:
            self.bytes.show(face.source, chunks=face.chunks, marks=face.marks, keep=True)
            self.bytes.border_title = face.title
        self._name_turn()

    def _name_turn(self) -> None:
        self.fields.remind(self._turn_note)

    @property
    def _turn_note(self) -> str:
        """That the plaintext is known, and the key that turns it over."""
        if self._understood.plain is None:
            return ""
        words = "as it crossed" if self._plain else "plaintext in its place"
        return hint(self, ("plaintext", f"{{}}: {words}")) or ("" if self._plain else "plaintext known")

    def action_entered(self) -> None:
        """Turn a changed segment over: as it entered the wire, as it left."""
        segment = self._segment
        if segment is None or segment.original is None or segment.dropped or self.mode is not Mode.SEGMENT:
            gone = segment is not None and segment.dropped
            why = "these bytes are as they entered; none left" if gone else "the wire did not change these bytes"
            self.notify(why, severity="warning", markup=False)
            return
        self._entered = not self._entered
        self.post_message(self.Held())
        self._show_alone(segment, self._capture, keep=True)

    # Understanding: small at once, large and encrypted ones in a thread, and there only the latest that is wanted

    def _read(self, face: Face, *, keep: bool = False, at: int | None = None) -> None:
        """Show bytes, the cursor ``at`` one of them if that is said, and understand them."""
        self._put(face, keep=keep)
        if at is not None:
            self.bytes.move_to(at)
        if face.extent is None:
            self.show_fields(_NOTHING)
            return
        dissector, sealed = self._dissector, None if self._hurried else self._sealed()
        if not face.long:
            dissection = dissect(face.extent(), dissector) if dissector is not None else _NOTHING
            self.show_fields(dissection, remark=face.remark)
        elif dissector is not None or sealed is not None:
            self.show_fields(_NOTHING, _TOO_FAST if self._hurried else "reading…", face.remark)
        else:
            self.show_fields(_NOTHING, remark=face.remark)
        if sealed is not None or (face.long and dissector is not None and not self._hurried):
            self._wanted = Wanted(face.extent, dissector, sealed)
            if not self._reading:
                self._start(self._wanted)

    def _sealed(self) -> Sealed | None:
        """What opening the shown flow needs, where it may be opened."""
        segment, capture = self._segment, self._capture
        if self.plaintexts is None or segment is None or capture is None or segment.original is not None:
            return None
        return self.plaintexts.sealed(segment.flow, capture)

    def _start(self, wanted: Wanted) -> None:
        self._reading = True
        plaintexts = self.plaintexts or Plaintexts(lambda: None, str)

        def work() -> None:
            understood = plaintexts.understood(wanted.extent(), wanted.dissector, wanted.sealed)
            self.post_message(self.Read(wanted, understood))

        self.run_worker(work, name="dissect", group="dissect", thread=True, exit_on_error=False)

    def on_inspector_read(self, event: Read) -> None:
        """Show it if it is still wanted, else begin with what is."""
        event.stop()
        self._reading = False
        if self._wanted is event.wanted:
            understood = self._understood = event.understood
            self.show_fields(understood.dissection, self._turn_note, understood.remark or self._face.remark)
            if self._plain:
                self._turn()
        elif self._wanted is not None:
            self._start(self._wanted)
