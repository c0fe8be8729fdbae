"""The bytes pane: hex view, fields and data inspector, which follow each other's cursor, with search and copy.

It shows any `ByteSource` with any `Dissection`; the inspector decides which.
"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.worker import Worker

from netlab.dissect.export import count_of_bytes
from netlab.dissect.fields import Dissection, Field
from netlab.dissect.search import parse_offset, parse_pattern
from netlab.dissect.structview import struct_size, unpack_at
from netlab.dissect.text import safe
from netlab.ui.bytes.buffer_tabs import BufferTabs, OwnBytes
from netlab.ui.bytes.byte_copying import FILE, ByteCopying
from netlab.ui.bytes.byte_keys import KEYS
from netlab.ui.bytes.byte_search import SearchEnded, SearchProgressed, SearchRequest, start_search
from netlab.ui.bytes.byte_source import ByteSource
from netlab.ui.bytes.data_inspector import DataInspector
from netlab.ui.bytes.fields.field_tree import FieldTree
from netlab.ui.bytes.hex_view import HexView
from netlab.ui.bytes.spans import Spans, field_spans
from netlab.ui.keys.hints import follow_keys, hint
from netlab.ui.widgets.question import Question

_ROOMY = 26
"""Lines that bytes, fields and the table of numbers need together."""
_LOW = 11
"""Lines that bytes, fields and two lines about the cursor need together."""

_FEWEST = 6
"""Lines that the bytes keep, so that a question at the foot does not hide them all."""
_LEAST = 4
"""Lines that the bytes keep on a low screen; the CSS says the same."""


class BytesPane(Vertical):
    """Bytes, their fields, and numbers at the cursor. Bytes and fields follow each other's cursor."""

    DEFAULT_CSS = """
    BytesPane { height: 1fr; }
    BytesPane HexView { height: 1fr; min-height: 4; }
    BytesPane FieldTree { height: auto; max-height: 40%; }
    BytesPane Question { dock: bottom; }
    """
    BINDINGS: ClassVar[list[BindingType]] = KEYS

    class PauseRequested(Message):
        """The user moved the cursor here: keep showing this segment."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.bytes = HexView()
        self.fields = FieldTree()
        self.data_inspector = DataInspector()
        self.question = Question()
        self._spans = self._own_spans = Spans()
        self._has_fields = False
        self._chunks = False
        self._fields_most = 0
        self._pattern = b""
        self._typed = ""
        self._search: Worker[None] | None = None
        self._note_acts: tuple[tuple[str, str], ...] = ()
        self._form_before = ""
        self._clearable = False
        self._found: int | None = None  # the offset that the last search's result is about
        self._copying = ByteCopying(self, self.question)
        self.tabs = BufferTabs()
        self._note = ""

    def compose(self) -> ComposeResult:
        """Bytes on top, then the fields as tall as they need."""
        yield self.bytes
        yield self.fields
        yield self.data_inspector
        yield self.question

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
            self._remark("")
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

    def focus(self, scroll_visible: bool = True) -> BytesPane:
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
            self._forget_found(event.cursor)
        self._look()

    def _forget_found(self, cursor: int) -> None:
        """Clear a search's result once the cursor leaves it, unless the search still runs."""
        if self._search is None and cursor != self._found:
            self._remark("")

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
        self._name_clear()

    def _reveal(self) -> Field | None:
        """The field at the cursor, on which the tree's cursor stands then."""
        return self.fields.reveal(self.bytes.cursor, self.tabs.roots) if self.fields.display else None

    def _name_clear(self) -> None:
        """Show the key in the footer only while there is something to clear."""
        clearable = bool(self._pattern or self.data_inspector.form or any(self.bytes.selection))
        if clearable != self._clearable:
            self._clearable = clearable
            self.refresh_bindings()

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
        self._forget_found(self.bytes.cursor)
        self.data_inspector.show(self.bytes.source, start, self.bytes.selection)
        self.bytes.mark_field(start, end)
        self._name_clear()

    # Keys that are named on the screen

    def on_mount(self) -> None:
        """Name keys only while they work."""
        follow_keys(self, self.name_keys)

    def name_keys(self) -> None:
        """Update the keys that are named on the screen."""
        more = [] if self.data_inspector.expanded else [("numbers", "shows all types and byte orders")]
        keys = hint(self, ("unpack", "unpacks a struct format here"), *more)
        if keys != self.data_inspector.how_on:
            self.data_inspector.how_on = keys
            self._look()
        self.data_inspector.remark(self.data_inspector.note, hint(self, *self._note_acts))
        if len(self.tabs):
            self.fields.remind(self.notes)

    def _remark(self, note: str, *acts: tuple[str, str]) -> None:
        """Show a remark about a search, and the keys that continue it."""
        self._note_acts = acts
        self.data_inspector.remark(note, hint(self, *acts))
        self.refresh_bindings()

    # Questions

    def action_go_to(self) -> None:
        """Ask for an offset."""
        view = self.bytes

        def check(text: str) -> str:
            at = parse_offset(text, view.cursor, view.source.length)
            return f"{at} ({at:#x}) of {view.source.length}"

        self.question.ask("offset", "go to", "", check)

    def action_search(self) -> None:
        """Ask what to find."""

        def check(text: str) -> str:
            pattern = parse_pattern(text)
            return f"{count_of_bytes(len(pattern))}: {pattern[:16].hex(' ')}"

        self.question.ask("search", "find", self._typed, check)

    def action_unpack(self) -> None:
        """Ask for a struct format; it is unpacked as it is typed."""
        view = self.bytes

        def check(text: str) -> str:
            if not text:
                return "a struct format such as !BI; leave it empty for none"
            struct_size(text)
            return unpack_at(text, view.source.view(view.cursor, view.cursor + struct_size(text)), view.cursor).values

        self._form_before = self.data_inspector.form
        self.question.ask("struct", "unpack", self.data_inspector.form, check)

    def on_question_changed(self, event: Question.Changed) -> None:
        """Unpack the struct format as it is typed."""
        event.stop()
        if event.purpose == "struct":
            self.data_inspector.form = event.text if event.right else ""
            self._look()

    def on_question_submitted(self, event: Question.Submitted) -> None:
        """Act on the answer."""
        event.stop()
        if event.purpose == "offset":
            self.bytes.move_to(parse_offset(event.text, self.bytes.cursor, self.bytes.source.length), by_hand=True)
        elif event.purpose == "search":
            self._typed, self._pattern = event.text, parse_pattern(event.text)
            self._seek(self.bytes.cursor, backward=False)
        elif event.purpose == "struct":
            self.data_inspector.form = event.text
            self._look()
        elif event.purpose == FILE:
            self._copying.write(event.text)

    def on_question_dismissed(self, event: Question.Dismissed) -> None:
        """Esc restores the struct format that stood before."""
        event.stop()
        if event.purpose == "struct":
            self.data_inspector.form = self._form_before
            self._look()
        elif event.purpose == FILE:
            self._copying.forget()

    # Search

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """``n`` and ``N`` work only after a search, while the bytes have the focus."""
        if action in ("go_to", "search", "unpack"):
            return not self.question.asking
        if action == "next_buffer":
            return len(self.tabs) > 0
        if action == "find":
            return bool(self._pattern) and self.bytes.has_focus
        if action == "clear":
            return bool(self._pattern or self.data_inspector.form or any(self.bytes.selection))
        return True

    def action_find(self, backward: bool) -> None:
        """Go to the next or the previous match."""
        self._seek(self.bytes.cursor + (0 if backward else 1), backward=backward)

    def _seek(self, start: int, *, backward: bool) -> None:
        self._remark("searching…")
        self._search = start_search(self, SearchRequest(self.bytes.source, self._pattern, start, backward))

    def on_search_progressed(self, event: SearchProgressed) -> None:
        """Show the progress."""
        event.stop()
        if self._search is not None:
            self._remark(f"searching {event.percent} %", ("clear", "cancels"))

    def on_search_ended(self, event: SearchEnded) -> None:
        """Go to the match, or say that there is none."""
        event.stop()
        self._search = None
        self._found = self.bytes.cursor if event.at is None else event.at
        if event.sought.source is not self.bytes.source or event.cancelled or not self._pattern:
            self._remark("")
        elif event.at is None:
            self._remark(f"{safe(self._typed)} not found")
        else:
            self.bytes.mark_match(event.at, event.at + len(event.sought.pattern))
            self.bytes.move_to(event.at, by_hand=True)
            ways = (
                (("find(False)", "next"),) if event.wrapped else (("find(False)", "next"), ("find(True)", "previous"))
            )
            self._remark("found, search wrapped around" if event.wrapped else "found", *ways)

    def action_clear(self) -> None:
        """Clear one thing at a time: the search, then the selection, then the struct format."""
        if self._search is not None:
            self._search.cancel()
        if self._pattern:
            self._pattern = b""
            self.bytes.mark_match(0, 0)
            self._remark("")
        elif any(self.bytes.selection):
            self.bytes.move_to(self.bytes.cursor, by_hand=True)
        else:
            self.data_inspector.form = ""
            self._look()
        self._name_clear()

    # Copying

    def action_numbers(self) -> None:
        """Toggle between one line of numbers and all of them."""
        self.data_inspector.expanded = not self.data_inspector.expanded
        self._look()

    def action_copy_struct(self) -> None:
        """Copy the Python line that unpacks the bytes."""
        if self.data_inspector.unpacked is None:
            self.notify("there is no struct format yet: press u to enter one", severity="warning", markup=False)
        else:
            self._copying.put(self.data_inspector.unpacked.line)

    def _chosen(self) -> tuple[int, int, str]:
        """What would be copied: start, end, and its name."""
        start, end = self.bytes.selection
        if start < end:
            return start, end, "the selection"
        field = self._reveal()
        if field is not None:
            return max(field.start, 0), min(field.end, self.bytes.source.length), "the field"
        return 0, self.bytes.source.length, "all bytes"

    def action_copy(self) -> None:
        """Ask for the format or the file."""
        self._copying.ask(self.bytes.source, *self._chosen())
