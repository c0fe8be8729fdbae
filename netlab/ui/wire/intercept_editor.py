"""The editor of a held segment: the byte view, typed into. It says that it is one, and how typing is meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from netlab.lab.state import HeldSegment
from netlab.ui.bytes.hex_view import ByteView
from netlab.ui.bytes.spans import changed_spans
from netlab.ui.keys.hints import follow_keys, hint
from netlab.ui.wire.intercept_edit import Edit


class ByteEditor(ByteView):
    """Edits the bytes of one held segment; enter hands them out, escape gives them up."""

    SCOPED_CSS = False  # while it is there, what surrounds it steps aside
    DEFAULT_CSS = """
    ByteEditor, ByteEditor:focus {
        border: round $warning; border-title-style: bold; border-title-color: $text-warning;
    }
    Inspector.-editing > * { display: none !important; }
    Inspector.-editing > ByteEditor { display: block !important; height: 1fr; }
    Inspector.-editing > FieldTree { height: 0 !important; max-height: 0 !important; border: none !important; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "apply", "apply", id="edit.apply", tooltip="Let these bytes leave in the place of what came"),
        Binding("escape", "cancel", "cancel", id="edit.cancel", tooltip="Leave the held bytes as they were"),
        Binding("tab", "turn_text", "hex/text", id="edit.text", tooltip="Type hex digits, or text"),
        Binding("insert,ctrl+t", "turn_insert", "insert", id="edit.insert", tooltip="Insert, or overwrite"),
        Binding("delete", "delete", "delete", id="edit.delete", tooltip="Take away the selection, or the byte here"),
        Binding("backspace", "rub_out", "rub out", show=False, id="edit.rub_out"),
        Binding("ctrl+z", "undo", "undo", id="edit.undo", tooltip="Take the last change back"),
    ]

    @dataclass
    class Applied(Message):
        """These bytes are to leave."""

        held: HeldSegment
        payload: bytes

    class Cancelled(Message):
        """The bytes stay as they were."""

    def __init__(self, held: HeldSegment) -> None:
        super().__init__(id="edit")
        self.held = held
        self.edit = Edit(held.payload)

    def on_hide(self, event: events.Hide) -> None:
        """Keep the focus: it is mounted in a pane that is shown a moment later, and its neighbour would get it."""
        event.prevent_default()

    def on_mount(self) -> None:
        """Show the bytes; name keys only while they act."""
        follow_keys(self, self._tell)
        self._show()

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Whatever can be typed is typed here."""
        return character is not None and character.isprintable()

    def on_key(self, event: events.Key) -> None:
        """Type."""
        if event.character is None or not event.is_printable:
            return
        event.stop()
        event.prevent_default()
        self.edit.move(self.cursor)
        if self.edit.type(event.character):
            self._show()
        else:
            self.app.bell()

    def on_byte_view_cursor_moved(self, event: ByteView.CursorMoved) -> None:
        """A movement ends a half-typed byte. The inspector around has bytes of its own."""
        event.stop()
        self.edit.move(event.cursor)
        self._tell()

    def action_apply(self) -> None:
        """Hand the bytes out."""
        self.post_message(self.Applied(self.held, bytes(self.edit.held)))

    def action_cancel(self) -> None:
        """Give them up."""
        self.post_message(self.Cancelled())

    def action_turn_text(self) -> None:
        """Hex digits or text."""
        self.edit.as_text, self.edit.low = not self.edit.as_text, False
        self._tell()

    def action_turn_insert(self) -> None:
        """Insert or overwrite."""
        self.edit.inserting, self.edit.low = not self.edit.inserting, False
        self._tell()

    def action_delete(self) -> None:
        """The selection, or the byte at the cursor."""
        self.edit.move(self.cursor)
        self._after(self.edit.delete(self.selection))

    def action_rub_out(self) -> None:
        """The byte before the cursor."""
        self.edit.move(self.cursor)
        self._after(self.edit.rub_out())

    def action_undo(self) -> None:
        """One step back."""
        self._after(self.edit.undo())

    def _after(self, changed: bool) -> None:
        if changed:
            self._show()
        else:
            self.app.bell()

    def _show(self) -> None:
        """Draw the bytes as they are now, changed ones marked, and put the cursor where typing goes on."""
        cursor = self.edit.cursor
        marks = changed_spans(memoryview(self.held.payload), memoryview(bytes(self.edit.held)))
        with self.prevent(ByteView.CursorMoved):
            self.show(self.edit.source, marks=marks, keep=True)
            self.move_to(cursor)
        self._tell()

    def _tell(self) -> None:
        typing = "text" if self.edit.as_text else "hex, 2nd digit" if self.edit.low else "hex"
        how = "insert" if self.edit.inserting else "overwrite"
        way = self.held.direction.value
        title = f"EDIT held {self.held.number} {way} {len(self.edit.held)} bytes ── {typing}, {how}"
        self.border_title = Content(title).markup
        self.border_subtitle = hint(self, ("apply", "applies"), ("cancel", "cancels"))
