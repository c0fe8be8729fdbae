"""The bytes pane: hex view, fields and what stands at the cursor, following each other, and what can be asked of them.

It shows any `ByteSource` with any `Dissection`; where they come from is the inspector's matter.
"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.worker import Worker

from netlab.dissect.export import count_of_bytes
from netlab.dissect.fields import Dissection
from netlab.dissect.search import parse_offset, parse_pattern
from netlab.dissect.structview import struct_size, unpack_at
from netlab.dissect.text import safe
from netlab.ui.bytes.byte_copying import FILE, ByteCopying
from netlab.ui.bytes.byte_search import SearchEnded, SearchProgressed, Sought, start_search
from netlab.ui.bytes.byte_source import ByteSource
from netlab.ui.bytes.data_inspector import AtCursor
from netlab.ui.bytes.field_tree import FieldTree
from netlab.ui.bytes.hex_view import ByteView
from netlab.ui.bytes.spans import Spans, field_spans
from netlab.ui.keys.commands import clear_key
from netlab.ui.keys.hints import follow_keys, hint
from netlab.ui.widgets.question import Question

_ROOMY = 26
"""Lines in which bytes, fields and the table of numbers have room together."""
_LOW = 11
"""Lines in which bytes, fields and two lines about the cursor have room together."""

_FEWEST = 6
"""Lines that the bytes always have, so that a question at the foot leaves some of them in view."""
_LEAST = 4
"""Of these, where even they have no room, as the CSS has it."""

KEYS: list[BindingType] = [
    Binding("o", "go_to", "go to", id="bytes.goto", tooltip="Go to an offset: 16, 0x10, +4, 50%"),
    Binding("slash,ctrl+f", "search", "search", id="bytes.search", tooltip="Find text, 0x hex or b'bytes'"),
    Binding("n", "find(False)", "next match", id="bytes.next", tooltip="Go to the next match"),
    Binding("N", "find(True)", "previous match", show=False, id="bytes.previous", tooltip="Go to the match before"),
    Binding("u", "unpack", "unpack", id="bytes.struct", tooltip="Unpack a struct format at the cursor"),
    Binding("U", "copy_struct", "copy struct line", show=False, id="bytes.copy_struct",
            tooltip="Copy the Python line that unpacks it"),
    Binding("y", "copy", "copy bytes", show=False, id="bytes.copy",
            tooltip="Copy the selection, else the field, else all: hex, text, Python, base64, or to a file"),
    Binding("b", "numbers", "numbers", show=False, id="bytes.numbers",
            tooltip="All numbers at the cursor in both byte orders, or just a line of them"),
    clear_key("bytes", "Clear the search, then the selection, then the struct format"),
]  # fmt: skip


class BytesPane(Vertical):
    """Bytes, their fields, and numbers at the cursor. Bytes and fields follow each other's cursor."""

    DEFAULT_CSS = """
    BytesPane { height: 1fr; }
    BytesPane ByteView { height: 1fr; min-height: 4; }
    BytesPane FieldTree { height: auto; max-height: 40%; }
    BytesPane Question { dock: bottom; }
    """
    BINDINGS: ClassVar[list[BindingType]] = KEYS

    class Held(Message):
        """A person moved in here: what is shown should stay."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.bytes = ByteView()
        self.fields = FieldTree()
        self.at_cursor = AtCursor()
        self.question = Question()
        self._spans = Spans()
        self._has_fields = False
        self._chunks = False
        self._fields_most = 0
        self._pattern = b""
        self._typed = ""
        self._search: Worker[None] | None = None
        self._note_acts: tuple[tuple[str, str], ...] = ()
        self._form_before = ""
        self._clearable = False
        self._found: int | None = None  # where the cursor is that the last search's outcome is about
        self._copying = ByteCopying(self, self.question)

    def compose(self) -> ComposeResult:
        """Bytes on top; fields take what they need of the rest."""
        yield self.bytes
        yield self.fields
        yield self.at_cursor
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
        """Show bytes; their fields have to follow. ``keep`` leaves the cursor where it is."""
        self._chunks = chunks
        if not keep:
            self._remark("")
        self.bytes.show(source, chunks=chunks, marks=marks, keep=keep)
        self.bytes.border_title = Content(title).markup
        self._share_rows()

    def show_fields(self, dissection: Dissection, note: str = "", remark: str = "") -> None:
        """Show other fields over the same bytes, a note in their title and a remark above them."""
        self._spans = field_spans(dissection.fields)
        self.fields.show(dissection, note, remark)
        self._has_fields = bool(dissection.fields or dissection.needs or dissection.problem or note or remark)
        self._look()

    def focus(self, scroll_visible: bool = True) -> BytesPane:
        """Focus the bytes."""
        self.bytes.focus(scroll_visible)
        return self

    def _share_rows(self) -> None:
        """Let the fields have the rows that the bytes do not need, and two fifths in any case."""
        height = self.size.height
        needed = max(self.bytes.virtual_size.height + 1, _FEWEST)
        rest = height - (self.at_cursor.outer_size.height or 3)
        most = max(min(max(rest - needed, height * 2 // 5), rest - _LEAST), 1)
        if self._fields_most != most:
            self._fields_most = most
            self.fields.styles.max_height = most
        for panel in self.query(".panel"):  # its own scrollbar shows what has no room
            panel.styles.max_height = max(min(rest - _LEAST, height * 3 // 4), 2)

    def on_resize(self) -> None:
        """Say less where there is less room."""
        self._share_rows()
        if self.at_cursor.low != (self.size.height < _LOW):
            self.at_cursor.low = not self.at_cursor.low
            self._look()

    # The cursors follow each other

    def on_byte_view_cursor_moved(self, event: ByteView.CursorMoved) -> None:
        """Show what stands at the cursor."""
        event.stop()
        if event.by_hand:
            self.post_message(self.Held())
            self._forget_found(event.cursor)
        self._look()

    def _forget_found(self, cursor: int) -> None:
        """What is said of a search holds while the cursor is where it led to, or it still goes on."""
        if self._search is None and cursor != self._found:
            self._remark("")

    def _look(self) -> None:
        """Numbers, struct and field at the cursor."""
        view = self.bytes
        self.at_cursor.show(view.source, view.cursor, view.selection)
        unpacked = self.at_cursor.unpacked
        shown = self._has_fields and (self.size.height >= _ROOMY or not self.at_cursor.expanded)
        if self.fields.display is not shown:
            self.fields.display = shown
        spans = Spans() if self._chunks else self._spans  # where chunks have colours, fields have none
        view.lay_fields(field_spans(unpacked.fields) if unpacked else spans)
        field = self.fields.reveal(view.cursor) if self.fields.display else None
        view.mark_field(*((field.start, field.end) if field and not unpacked else (0, 0)))
        self._name_clear()

    def _name_clear(self) -> None:
        """Have the footer follow whether there is something to clear."""
        clearable = bool(self._pattern or self.at_cursor.form or any(self.bytes.selection))
        if clearable != self._clearable:
            self._clearable = clearable
            self.refresh_bindings()

    def on_field_tree_field_highlighted(self, event: FieldTree.FieldHighlighted) -> None:
        """Go to the field's bytes and select them."""
        event.stop()
        self.post_message(self.Held())
        start, end = max(event.field.start, 0), min(event.field.end, self.bytes.source.length)
        with self.prevent(ByteView.CursorMoved):
            if start < end:
                self.bytes.select(start, end)
        self._forget_found(self.bytes.cursor)
        self.at_cursor.show(self.bytes.source, start, self.bytes.selection)
        self.bytes.mark_field(start, end)
        self._name_clear()

    # Keys that are named on the screen

    def on_mount(self) -> None:
        """Name keys only while they act."""
        follow_keys(self, self.name_keys)

    def name_keys(self) -> None:
        """Other keys act than before."""
        more = [] if self.at_cursor.expanded else [("numbers", "shows every type, both byte orders")]
        keys = hint(self, ("unpack", "unpacks a struct format here"), *more)
        if keys != self.at_cursor.how_on:
            self.at_cursor.how_on = keys
            self._look()
        self.at_cursor.remark(self.at_cursor.note, hint(self, *self._note_acts))

    def _remark(self, note: str, *acts: tuple[str, str]) -> None:
        """Say something of a search, with what goes on with it: actions and words."""
        self._note_acts = acts
        self.at_cursor.remark(note, hint(self, *acts))
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
                return "a struct format such as !BI; nothing to unpack none"
            struct_size(text)
            return unpack_at(text, view.source.view(view.cursor, view.cursor + struct_size(text)), view.cursor).values

        self._form_before = self.at_cursor.form
        self.question.ask("struct", "unpack", self.at_cursor.form, check)

    def on_question_changed(self, event: Question.Changed) -> None:
        """A struct format shows at each key what it gives."""
        event.stop()
        if event.purpose == "struct":
            self.at_cursor.form = event.text if event.right else ""
            self._look()

    def on_question_answered(self, event: Question.Answered) -> None:
        """Do what was asked for."""
        event.stop()
        if event.purpose == "offset":
            self.bytes.move_to(parse_offset(event.text, self.bytes.cursor, self.bytes.source.length), by_hand=True)
        elif event.purpose == "search":
            self._typed, self._pattern = event.text, parse_pattern(event.text)
            self._seek(self.bytes.cursor, backward=False)
        elif event.purpose == "struct":
            self.at_cursor.form = event.text
            self._look()
        elif event.purpose == FILE:
            self._copying.write(event.text)

    def on_question_left(self, event: Question.Left) -> None:
        """Esc restores the struct format that stood before."""
        event.stop()
        if event.purpose == "struct":
            self.at_cursor.form = self._form_before
            self._look()
        elif event.purpose == FILE:
            self._copying.forget()

    # Search

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """``n`` and ``N`` are matches only while there is a search and the bytes have the focus."""
        if action in ("go_to", "search", "unpack"):
            return not self.question.asking
        if action == "find":
            return bool(self._pattern) and self.bytes.has_focus
        if action == "clear":
            return bool(self._pattern or self.at_cursor.form or any(self.bytes.selection))
        return True

    def action_find(self, backward: bool) -> None:
        """The next match, or the one before."""
        self._seek(self.bytes.cursor + (0 if backward else 1), backward=backward)

    def _seek(self, start: int, *, backward: bool) -> None:
        self._remark("searching…")
        self._search = start_search(self, Sought(self.bytes.source, self._pattern, start, backward))

    def on_search_progressed(self, event: SearchProgressed) -> None:
        """Say how far it is."""
        event.stop()
        if self._search is not None:
            self._remark(f"searching {event.percent} %", ("clear", "cancels"))

    def on_search_ended(self, event: SearchEnded) -> None:
        """Go to what was found, or say that nothing was."""
        event.stop()
        self._search = None
        self._found = self.bytes.cursor if event.at is None else event.at
        if event.sought.source is not self.bytes.source or event.cancelled or not self._pattern:
            self._remark("")
        elif event.at is None:
            self._remark(f"{safe(self._typed)} was not found")
        else:
            self.bytes.mark_match(event.at, event.at + len(event.sought.pattern))
            self.bytes.move_to(event.at, by_hand=True)
            ways = (
                (("find(False)", "next"),) if event.wrapped else (("find(False)", "next"), ("find(True)", "previous"))
            )
            self._remark("found past the end" if event.wrapped else "found", *ways)

    def action_clear(self) -> None:
        """One thing at a time: the search, the selection, the struct format."""
        if self._search is not None:
            self._search.cancel()
        if self._pattern:
            self._pattern = b""
            self.bytes.mark_match(0, 0)
            self._remark("")
        elif any(self.bytes.selection):
            self.bytes.move_to(self.bytes.cursor, by_hand=True)
        else:
            self.at_cursor.form = ""
            self._look()
        self._name_clear()

    # Copying

    def action_numbers(self) -> None:
        """A line of numbers, or all."""
        self.at_cursor.expanded = not self.at_cursor.expanded
        self._look()

    def action_copy_struct(self) -> None:
        """Copy the line that unpacks."""
        if self.at_cursor.unpacked is None:
            self.notify("there is no struct format: u asks for one", severity="warning", markup=False)
        else:
            self._copying.put(self.at_cursor.unpacked.line)

    def _chosen(self) -> tuple[int, int, str]:
        """What copying would take: start, end, and its name."""
        start, end = self.bytes.selection
        if start < end:
            return start, end, "the selection"
        field = self.fields.reveal(self.bytes.cursor) if self.fields.display else None
        if field is not None:
            return max(field.start, 0), min(field.end, self.bytes.source.length), "the field"
        return 0, self.bytes.source.length, "all"

    def action_copy(self) -> None:
        """Ask for the form, or the file."""
        self._copying.ask(self.bytes.source, *self._chosen())
