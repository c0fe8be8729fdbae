"""The bytes pane: what a person asks of the shown bytes: go to, search, unpack, copy.

It shows any `ByteSource` with any `Dissection`; the inspector decides which.
"""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from netlab.dissect.export import count_of_bytes
from netlab.dissect.search import parse_offset, parse_pattern
from netlab.dissect.structview import struct_size, unpack_at
from netlab.ui.bytes.byte_copying import FILE, ByteCopying
from netlab.ui.bytes.byte_keys import KEYS
from netlab.ui.bytes.finding.byte_finding import ByteFinding
from netlab.ui.bytes.finding.byte_search import SearchEnded, SearchProgressed
from netlab.ui.bytes.shown_bytes import ShownBytes
from netlab.ui.keys.hints import follow_keys, hint
from netlab.ui.widgets.question import Question


class BytesPane(ShownBytes):
    """Bytes, their fields, and numbers at the cursor. Bytes and fields follow each other's cursor."""

    DEFAULT_CSS = """
    BytesPane { height: 1fr; }
    BytesPane HexView { height: 1fr; min-height: 4; }
    BytesPane FieldTree { height: auto; max-height: 40%; }
    BytesPane Question { dock: bottom; }
    """
    BINDINGS: ClassVar[list[BindingType]] = KEYS

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._finding = ByteFinding(self)
        self._form_before = ""
        self._clearable = False
        self._copying = ByteCopying(self, self.question)

    def left_found(self, cursor: int | None) -> None:
        """Forget a search's result once the cursor leaves it."""
        self._finding.left(cursor)

    @property
    def _has_to_clear(self) -> bool:
        return bool(self._finding.pattern or self.data_inspector.form or any(self.bytes.selection))

    def name_clear(self) -> None:
        """Show the key in the footer only while there is something to clear."""
        if self._has_to_clear != self._clearable:
            self._clearable = not self._clearable
            self.refresh_bindings()

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
        self._finding.name_keys()
        if len(self.tabs):
            self.fields.remind(self.notes)

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

        self.question.ask("search", "find", self._finding.typed, check)

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
            self._finding.begin(event.text)
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
            return bool(self._finding.pattern) and self.bytes.has_focus
        if action == "clear":
            return self._has_to_clear
        return True

    def action_find(self, backward: bool) -> None:
        """Go to the next or the previous match."""
        self._finding.seek(self.bytes.cursor + (0 if backward else 1), backward=backward)

    def on_search_progressed(self, event: SearchProgressed) -> None:
        """Show the progress."""
        event.stop()
        self._finding.progressed(event)

    def on_search_ended(self, event: SearchEnded) -> None:
        """Go to the match, or say that there is none."""
        event.stop()
        self._finding.ended(event)

    def action_clear(self) -> None:
        """Clear one thing at a time: the search, then the selection, then the struct format."""
        if not self._finding.clear():
            if any(self.bytes.selection):
                self.bytes.move_to(self.bytes.cursor, by_hand=True)
            else:
                self.data_inspector.form = ""
                self._look()
        self.name_clear()

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
