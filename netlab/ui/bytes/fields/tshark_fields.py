"""The fields that tshark finds in the shown segment, by key, in place of our own; kept for each segment."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from netlab.capture.model import Segment
from netlab.capture.view import CapturedSegments
from netlab.dissect.fields import Dissection
from netlab.dissect.wireshark.flow_packets import pieces_around
from netlab.dissect.wireshark.tshark import ABSENT, TsharkFields, TsharkRun, installed
from netlab.ui.bytes.byte_source import ByteSource
from netlab.ui.bytes.bytes_pane import BytesPane
from netlab.ui.bytes.spans import Spans
from netlab.ui.keys.hints import hint

KEPT = 50
"""Segments whose fields are kept."""
_UNREADABLE = "tshark reads a segment as it crossed: choose one that has bytes and that the wire did not change"
_NOTHING = Dissection(())


@dataclass(frozen=True, slots=True)
class _Kept:
    """What tshark said, and with which secrets: later there may be more of them."""

    fields: TsharkFields
    with_secrets: int


class TsharkPane(BytesPane):
    """A bytes pane that asks tshark. Its subclass knows the shown segment, and shows fields of our own."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("T", "tshark", "tshark", show=False, id="bytes.tshark",
                tooltip="Show the fields that tshark finds in this segment, or netlab's own again"),
    ]  # fmt: skip

    @dataclass
    class TsharkAnswered(Message):
        """tshark has read a segment."""

        run: TsharkRun
        segment: Segment
        found: _Kept

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._asked: TsharkRun | None = None
        self._by_tshark = False
        self._own: tuple[Dissection, str, str] = (_NOTHING, "", "")
        self._kept: OrderedDict[int, _Kept] = OrderedDict()
        self._kept_of: weakref.ref[CapturedSegments] | None = None

    def readable_segment(self) -> tuple[Segment, CapturedSegments] | None:
        """The shown segment, if it is whole and as it crossed, and its capture."""
        return None

    def protocol_read(self) -> str:
        """The name of the protocol as which the shown flow is read; empty if it is not known."""
        return ""

    def key_log(self) -> str:
        """The TLS secrets that may open the shown flow, as the lines of a key log."""
        return ""

    def show_bytes(
        self,
        source: ByteSource,
        title: str,
        *,
        chunks: bool = False,
        marks: Spans | None = None,
        keep: bool = False,
    ) -> None:
        """Show bytes; call `show_fields` next. ``keep`` leaves the cursor where it is."""
        self._stop_tshark()
        super().show_bytes(source, title, chunks=chunks, marks=marks, keep=keep)

    def show_fields(self, dissection: Dissection, note: str = "", remark: str = "") -> None:
        """Show fields of our own; not before tshark's are put away."""
        self._own = dissection, note, remark
        if not self._by_tshark:
            super().show_fields(dissection, note, remark)

    def action_tshark(self) -> None:
        """Ask tshark about the segment, stop asking, or show our own fields again."""
        if self._by_tshark:
            self._show_own()
            return
        asked = self.readable_segment()
        if asked is None or not installed():
            self.notify(ABSENT if asked else _UNREADABLE, severity="warning", markup=False)
            return
        self.post_message(self.PauseRequested())
        self._by_tshark = True
        segment, capture = asked
        if self._kept_of is None or self._kept_of() is not capture:
            self._kept.clear()
            self._kept_of = weakref.ref(capture)
        secrets = self.key_log()
        kept = self._kept.get(segment.number)
        if kept is not None and kept.with_secrets == hash(secrets):
            self._show_tsharks(kept.fields)
        else:
            self._ask(segment, capture, secrets)

    def _ask(self, segment: Segment, capture: CapturedSegments, secrets: str) -> None:
        def time_of(number: int) -> int:
            with suppress(IndexError):  # the capture has let it go meanwhile
                return capture.segments[number - 1].time_ns
            return segment.time_ns

        pieces, read_as = pieces_around(segment, capture), self.protocol_read()
        run = self._asked = TsharkRun(segment, pieces, time_of, read_as, secrets)

        def work() -> None:
            self.post_message(self.TsharkAnswered(run, segment, _Kept(run.fields(), hash(secrets))))

        super().show_fields(_NOTHING, hint(self, ("tshark", "stops tshark")) or "tshark…", "tshark reads the flow…")
        self.run_worker(work, name="tshark", group="tshark", thread=True, exit_on_error=False)

    def on_tshark_pane_tshark_answered(self, event: TsharkAnswered) -> None:
        """Show the fields, unless they are no longer wanted."""
        event.stop()
        if event.found.fields.fields and not event.run.cancelled:
            self._kept[event.segment.number] = event.found
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        if event.run is self._asked:
            self._asked = None
            self._show_tsharks(event.found.fields)

    def _show_tsharks(self, found: TsharkFields) -> None:
        if found.problem:
            self.notify(found.problem, severity="warning", markup=False)
            self._show_own()
        else:
            note = hint(self, ("tshark", "shows netlab's own")) or "the same key shows netlab's own"
            super().show_fields(Dissection(found.fields), f"by tshark, {note}")

    def _show_own(self) -> None:
        self._stop_tshark()
        super().show_fields(*self._own)

    def _stop_tshark(self) -> None:
        if self._asked is not None:
            self._asked.cancel()
        self._asked, self._by_tshark = None, False

    def on_unmount(self) -> None:
        """Leave no process behind."""
        self._stop_tshark()
