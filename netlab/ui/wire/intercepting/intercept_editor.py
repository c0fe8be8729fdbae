"""The editor of a held segment: a hex view to type into. Its title shows the typing mode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from netlab.lab.state import HeldSegment
from netlab.ui.bytes.hex_view import HexView
from netlab.ui.bytes.spans import changed_spans
from netlab.ui.keys.hints import follow_keys, hint
from netlab.ui.wire.intercepting.intercept_edit import Edit


class ByteEditor(HexView):
    """Edits the bytes of one held segment; enter applies the changes, escape discards them."""

    SCOPED_CSS = False  # while it is open, the widgets around it are hidden
    DEFAULT_CSS = """
    ByteEditor, ByteEditor:focus {
        border: round $warning; border-title-style: bold; border-title-color: $text-warning;
    }
    Inspector.-editing > * { display: none !important; }
    Inspector.-editing > ByteEditor { display: block !important; height: 1fr; }
    Inspector.-editing > FieldTree { height: 0 !important; max-height: 0 !important; border: none !important; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "apply", "apply", id="edit.apply", tooltip="Replace the held bytes with these"),
        Binding("escape", "cancel", "cancel", id="edit.cancel", tooltip="Discard the changes"),
        Binding("tab", "turn_text", "hex/text", id="edit.text", tooltip="Type hex digits, or text"),
        Binding("insert,ctrl+t", "turn_insert", "insert", id="edit.insert", tooltip="Insert, or overwrite"),
        Binding(
            "delete", "delete", "delete", id="edit.delete", tooltip="Delete the selection, or the byte at the cursor"
        ),
        Binding("backspace", "rub_out", "rub out", show=False, id="edit.rub_out"),
        Binding("ctrl+z", "undo", "undo", id="edit.undo", tooltip="Undo the last change"),
    ]

    @dataclass
    class Applied(Message):
        """The user applied the changes: ``payload`` replaces the held bytes."""

        held: HeldSegment
        payload: bytes

    class Cancelled(Message):
        """The user discarded the changes."""

    def __init__(self, held: HeldSegment) -> None:
        super().__init__(id="edit")
        self.held = held
        self.edit = Edit(held.payload)

    def on_hide(self, event: events.Hide) -> None:
        """Keep the focus: the editor is mounted before its pane is shown, and a neighbour would get the focus."""
        event.prevent_default()

    def on_mount(self) -> None:
        """Show the bytes; name keys only while they work."""
        follow_keys(self, self._update_title)
        self._show()

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Consume every printable character."""
        return character is not None and character.isprintable()

    def on_key(self, event: events.Key) -> None:
        """Type the character."""
        if event.character is None or not event.is_printable:
            return
        event.stop()
        event.prevent_default()
        self.edit.move(self.cursor)
        if self.edit.type(event.character):
            self._show()
        else:
            self.app.bell()

    def on_hex_view_cursor_moved(self, event: HexView.CursorMoved) -> None:
        """A movement ends a half-typed byte. The event stops here: the inspector has other bytes."""
        event.stop()
        self.edit.move(event.cursor)
        self._update_title()

    def action_apply(self) -> None:
        """Apply the changes."""
        self.post_message(self.Applied(self.held, bytes(self.edit.held)))

    def action_cancel(self) -> None:
        """Discard the changes."""
        self.post_message(self.Cancelled())

    def action_turn_text(self) -> None:
        """Toggle between hex digits and text."""
        self.edit.as_text, self.edit.low = not self.edit.as_text, False
        self._update_title()

    def action_turn_insert(self) -> None:
        """Toggle between insert and overwrite."""
        self.edit.inserting, self.edit.low = not self.edit.inserting, False
        self._update_title()

    def action_delete(self) -> None:
        """Delete the selection, or the byte at the cursor."""
        self.edit.move(self.cursor)
        self._after(self.edit.delete(self.selection))

    def action_rub_out(self) -> None:
        """Delete the byte before the cursor."""
        self.edit.move(self.cursor)
        self._after(self.edit.rub_out())

    def action_undo(self) -> None:
        """Go one step back."""
        self._after(self.edit.undo())

    def _after(self, changed: bool) -> None:
        if changed:
            self._show()
        else:
            self.app.bell()

    def _show(self) -> None:
        """Show the current bytes with the changed ones marked, and put the cursor where typing continues."""
        cursor = self.edit.cursor
        marks = changed_spans(memoryview(self.held.payload), memoryview(bytes(self.edit.held)))
        with self.prevent(HexView.CursorMoved):
            self.show(self.edit.source, marks=marks, keep=True)
            self.move_to(cursor)
        self._update_title()

    def _update_title(self) -> None:
        typing = "text" if self.edit.as_text else "hex, 2nd digit" if self.edit.low else "hex"
        how = "insert" if self.edit.inserting else "overwrite"
        way = self.held.direction.value
        title = f"EDIT held {self.held.number} {way} {len(self.edit.held)} bytes ── {typing}, {how}"
        self.border_title = Content(title).markup
        self.border_subtitle = hint(self, ("apply", "applies"), ("cancel", "cancels"))
