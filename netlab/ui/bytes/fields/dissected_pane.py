"""Dissects the bytes that are shown, small ones at once, others in a thread; and shows their plaintext.

Its subclass decides which bytes are shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from netlab.capture.model import Flow, Segment
from netlab.capture.view import CapturedSegments
from netlab.dissect.fields import Dissection
from netlab.dissect.reading.flow_reader import FlowReader
from netlab.dissect.reading.meanings import How, Meanings
from netlab.ui.bytes.byte_source import ViewSource
from netlab.ui.bytes.fields.dissecting import Extent, Reads, dissect
from netlab.ui.bytes.fields.plaintext import DissectedBytes, EncryptedFlow, Plaintexts
from netlab.ui.bytes.fields.tshark_fields import TsharkPane
from netlab.ui.bytes.inspection import Inspection
from netlab.ui.keys.hints import hint

_TOO_FAST = "too fast to dissect; it waits until traffic slows down or you move the cursor"
NOTHING = Dissection(())


@dataclass(frozen=True, slots=True)
class DissectionRequest:
    """What to dissect in a thread: the extent, who reads it, and the flow if it can be decrypted."""

    extent: Callable[[], Extent]
    reads: Reads | None
    sealed: EncryptedFlow | None


class DissectedPane(TsharkPane):
    """A bytes pane whose bytes are those of a captured flow, read as ``how`` says."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "plaintext", "plaintext", show=False, id="bytes.plaintext",
                tooltip="Show the plaintext in place of the encrypted bytes, or the bytes again"),
        Binding("D", "dissect_as", "dissect as", show=False, id="bytes.dissect_as",
                tooltip="Choose as what protocol this flow, or its port, is read"),
    ]  # fmt: skip

    class DissectAsRequested(Message, namespace="inspector"):
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
        self.plaintexts: Plaintexts | None = None
        """Decrypts flows, if the topic's bytes are encrypted."""
        self._segment: Segment | None = None
        self._capture: CapturedSegments | None = None
        self._how: How = None
        self._wanted: DissectionRequest | None = None
        self._reading = False
        self._inspection = Inspection(ViewSource(), "")
        self._understood = DissectedBytes(NOTHING)
        self._plain = False
        self._flooded = False

    def name_keys(self) -> None:
        """Update the keys that are named on the screen."""
        super().name_keys()
        if self._understood.plain is not None:
            self._name_turn()

    def protocol_read(self) -> str:
        """The name of the protocol as which the shown flow is read."""
        if self._segment is None or not isinstance(self._how, Meanings):
            return ""
        return self._how.of(self._segment.flow).protocol.name

    def key_log(self) -> str:
        """The TLS secrets that may open the shown flow."""
        return self.plaintexts.key_log(self._segment.flow) if self.plaintexts and self._segment is not None else ""

    def action_dissect_as(self) -> None:
        """Ask as what the flow is to be read."""
        self.post_message(self.DissectAsRequested(self._segment.flow if self._segment is not None else None))

    def _put(self, inspection: Inspection, *, keep: bool = False) -> None:
        """Show other bytes, not dissected yet."""
        self._wanted, self._inspection, self._understood = None, inspection, DissectedBytes(NOTHING)
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

    # Dissecting: small ones at once, large and encrypted ones in a thread, which takes only the latest request

    def _read(self, inspection: Inspection, *, keep: bool = False, at: int | None = None) -> None:
        """Show bytes, with the cursor ``at`` an offset if one is given, and dissect them."""
        self._put(inspection, keep=keep)
        if at is not None:
            self.bytes.move_to(at)
        if inspection.extent is None:
            self.show_fields(NOTHING)
            return
        reads, sealed = self._reads(), None if self._flooded else self._sealed()
        if not self._takes_long(inspection, reads):
            dissection = dissect(inspection.extent(), reads) if reads is not None else NOTHING
            self.show_fields(dissection, remark=inspection.remark)
            reads = reads if sealed is not None else None
        elif reads is not None or sealed is not None:
            self.show_fields(NOTHING, _TOO_FAST if self._flooded else "dissecting…", inspection.remark)
        else:
            self.show_fields(NOTHING, remark=inspection.remark)
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
        if not inspection.chunks and not alone:
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

    def on_dissected_pane_dissection_ready(self, event: DissectionReady) -> None:
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
