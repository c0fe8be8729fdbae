"""Bytes, their fields, and numbers at the cursor, which follow each other's cursor; with a tab for each derived buffer.

What a person asks of them is the bytes pane's.
"""

from __future__ import annotations

from typing import Self

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message

from netlab.dissect.fields import Dissection, Field
from netlab.ui.bytes.buffer_tabs import BufferTabs, OwnBytes
from netlab.ui.bytes.byte_source import ByteSource
from netlab.ui.bytes.data_inspector import DataInspector
from netlab.ui.bytes.fields.field_tree import FieldTree
from netlab.ui.bytes.hex_view import HexView
from netlab.ui.bytes.spans import Spans, field_spans
from netlab.ui.keys.hints import hint
from netlab.ui.widgets.question import Question

_ROOMY = 26
"""Lines that bytes, fields and the table of numbers need together."""
_LOW = 11
"""Lines that bytes, fields and two lines about the cursor need together."""

_FEWEST = 6
"""Lines that the bytes keep, so that a question at the foot does not hide them all."""
_LEAST = 4
"""Lines that the bytes keep on a low screen; the CSS says the same."""


class ShownBytes(Vertical):
    """Hex view, fields and data inspector over one source of bytes."""

    class PauseRequested(Message, namespace="bytes_pane"):
        """The user moved the cursor here: keep showing this segment."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.bytes = HexView()
        self.fields = FieldTree()
        self.data_inspector = DataInspector()
        self.question = Question()
        self.tabs = BufferTabs()
        self._spans = self._own_spans = Spans()
        self._has_fields = False
        self._chunks = False
        self._fields_most = 0
        self._note = ""

    def compose(self) -> ComposeResult:
        """Bytes on top, then the fields as tall as they need."""
        yield self.bytes
        yield self.fields
        yield self.data_inspector
        yield self.question

    def left_found(self, cursor: int | None) -> None:
        """The cursor moved there (None: other bytes are shown), away from what a search found."""

    def name_clear(self) -> None:
        """There may be something to clear now, or nothing more."""

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
        if not keep:
            self.left_found(None)
        self.tabs.own, self.tabs.shown = OwnBytes(source, title, chunks, marks), 0
        self._show_tab(keep=keep)

    def show_fields(self, dissection: Dissection, note: str = "", remark: str = "") -> None:
        """Show fields for the same bytes, a note in their title and a remark above them."""
        gone = self.tabs.take(dissection.fields)
        self._own_spans = field_spans(dissection.fields)
        self._spans = self.tabs.spans if self.tabs.shown else self._own_spans
        self._note = note
        self.fields.show(dissection, self.notes, remark)
        if gone:
            self._show_tab(keep=True)
        self.refresh_bindings()
        self._has_fields = bool(dissection.fields or dissection.needs or dissection.problem or note or remark)
        self._look()

    # Tabs: the captured bytes, and what was derived from them

    def _show_tab(self, *, keep: bool) -> None:
        """Show the bytes of the current tab."""
        shown = self.tabs.bytes_of_shown()
        self._chunks = shown.chunks
        self._spans = self.tabs.spans if self.tabs.shown else self._own_spans
        self.bytes.show(shown.source, chunks=shown.chunks, marks=shown.marks, keep=keep)
        self.bytes.border_title = Content(shown.title).markup
        self._share_rows()

    def _turn_to(self, index: int) -> None:
        """Show another tab; the cursor in the captured bytes is kept."""
        if index == self.tabs.shown:
            return
        if not self.tabs.shown:
            self.tabs.own_cursor = self.bytes.cursor
        self.tabs.shown = index
        self._show_tab(keep=False)
        if not index:
            self.bytes.move_to(self.tabs.own_cursor)
        self.fields.remind(self.notes)

    def action_next_buffer(self) -> None:
        """Show the next derived buffer, after the last the captured bytes."""
        self.post_message(self.PauseRequested())
        self._turn_to((self.tabs.shown + 1) % (len(self.tabs) + 1))

    @property
    def notes(self) -> str:
        """The note in the title of the fields, and which key shows the next buffer."""
        more = hint(self, ("next_buffer", f"shows {self.tabs.next_name}")) if len(self.tabs) else ""
        return ", ".join(filter(None, (self._note, more)))

    def focus(self, scroll_visible: bool = True) -> Self:
        """Focus the bytes."""
        self.bytes.focus(scroll_visible)
        return self

    def _share_rows(self) -> None:
        """Give the fields the rows that the bytes do not need, and at least two fifths."""
        height = self.size.height
        needed = max(self.bytes.virtual_size.height + 1, _FEWEST)
        rest = height - (self.data_inspector.outer_size.height or 3)
        most = max(min(max(rest - needed, height * 2 // 5), rest - _LEAST), 1)
        if self._fields_most != most:
            self._fields_most = most
            self.fields.styles.max_height = most
        for panel in self.query(".panel"):  # its own scrollbar shows what has no room
            panel.styles.max_height = max(min(rest - _LEAST, height * 3 // 4), 2)

    def on_resize(self) -> None:
        """Show less if there is less room."""
        self._share_rows()
        if self.data_inspector.low != (self.size.height < _LOW):
            self.data_inspector.low = not self.data_inspector.low
            self._look()

    # The cursors follow each other

    def on_hex_view_cursor_moved(self, event: HexView.CursorMoved) -> None:
        """Show the values at the cursor."""
        event.stop()
        if event.by_hand:
            self.post_message(self.PauseRequested())
            self.left_found(event.cursor)
        self._look()

    def _look(self) -> None:
        """Numbers, struct and field at the cursor."""
        view = self.bytes
        self.data_inspector.show(view.source, view.cursor, view.selection)
        unpacked = self.data_inspector.unpacked
        shown = self._has_fields and (self.size.height >= _ROOMY or not self.data_inspector.expanded)
        if self.fields.display is not shown:
            self.fields.display = shown
        spans = Spans() if self._chunks else self._spans  # chunks are coloured instead of fields
        view.lay_fields(field_spans(unpacked.fields) if unpacked else spans)
        field = self._reveal()
        view.mark_field(*((field.start, field.end) if field and not unpacked else (0, 0)))
        self.name_clear()

    def _reveal(self) -> Field | None:
        """The field at the cursor, on which the tree's cursor stands then."""
        return self.fields.reveal(self.bytes.cursor, self.tabs.roots) if self.fields.display else None

    def on_field_tree_field_highlighted(self, event: FieldTree.FieldHighlighted) -> None:
        """Go to the field's bytes and select them."""
        event.stop()
        self.post_message(self.PauseRequested())
        with self.prevent(HexView.CursorMoved):
            self._turn_to(self.tabs.index_of(event.buffer))
        start, end = max(event.field.start, 0), min(event.field.end, self.bytes.source.length)
        with self.prevent(HexView.CursorMoved):
            if start < end:
                self.bytes.select(start, end)
        self.left_found(self.bytes.cursor)
        self.data_inspector.show(self.bytes.source, start, self.bytes.selection)
        self.bytes.mark_field(start, end)
        self.name_clear()
