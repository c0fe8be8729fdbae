"""A session's transcript, as a Python prompt would show it: ``>>> s.send(b'Hello')``, then ``5``; notes as comments."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from netlab.lab.state import Entry, EntryKind
from netlab.lab.tail import Tail
from netlab.ui.presentation import Presentation
from netlab.ui.ring import Line
from netlab.ui.searched_ring import SearchedRing

SHOWN = 40
"""Lines of one entry that are drawn; the rest is counted. The transcript itself keeps them."""

_LONGEST = 4000
"""Characters of one line that are drawn."""

_STYLES = {
    EntryKind.CALL: "ring--call",
    EntryKind.RESULT: "",
    EntryKind.ERROR: "ring--error",
    EntryKind.NOTE: "ring--note",
}
_FIRST = {EntryKind.CALL: ">>> ", EntryKind.RESULT: "", EntryKind.ERROR: "", EntryKind.NOTE: "# "}
_NEXT = {EntryKind.CALL: "... ", EntryKind.RESULT: "", EntryKind.ERROR: "", EntryKind.NOTE: "# "}


def drawn(entry: Entry, presentation: Presentation) -> list[Line]:
    """The lines of an entry. Told apart by prefix as well as by colour."""
    style = _STYLES[entry.kind]
    texts = entry.text.split("\n", SHOWN + 1)
    lines: list[Line] = []
    for index, text in enumerate(texts[:SHOWN]):
        prefix = _NEXT[entry.kind] if index else _FIRST[entry.kind]
        cut = len(text) - _LONGEST
        shown = presentation.text(text[:_LONGEST]) + (f" … {cut:,} more characters" if cut > 0 else "")
        lines.append((("ring--faint" if entry.kind is EntryKind.CALL else style, prefix), (style, shown)))
    if len(texts) > SHOWN:
        lines.append((("ring--note", f"# … {entry.text.count(chr(10)) + 1 - SHOWN:,} more lines"),))
    return lines


def copied(entries: Iterable[Entry]) -> str:
    """A transcript as text that can be pasted into a Python prompt or a document."""
    lines: list[str] = []
    for entry in entries:
        first, *rest = entry.text.split("\n")
        lines += [_FIRST[entry.kind] + first, *(_NEXT[entry.kind] + line for line in rest)]
    return "\n".join(lines)


class Transcript(SearchedRing):
    """Shows one session's entries, or a few hints while there are none. One call can be pointed at."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "point(-1)", "call before", id="transcript.up",
                tooltip="Point at the call before: its segments are marked in the wire"),
        Binding("down,j", "point(1)", "next call", show=False, id="transcript.down",
                tooltip="Point at the next call; after the last, at none"),
    ]  # fmt: skip

    @dataclass
    class Pointed(Message):
        """The person points at another call (None: at none)."""

        call: int | None

    def __init__(self, presentation: Presentation, hints: Sequence[str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._presentation = presentation
        self._hints = hints
        self._read = 0
        self._hinting = True
        self._calls: deque[int] = deque(maxlen=self.LIMIT)
        self.pointed: int | None = None

    def show(self, entries: Tail[Entry] | None) -> None:
        """Show another session's entries from the start, or the hints where there are none."""
        self.clear()
        self._calls.clear()
        self._read, self.pointed = 0, None
        self._hinting = not entries
        if not entries:
            self._add([(("ring--note", "# "), ("ring--note", hint)) for hint in self._hints])
        else:
            self.grow(entries)

    def add(self, lines: Sequence[Line]) -> None:
        """Draw lines that are not of the session: what the lab answered."""
        self._begin()
        self._add(lines)

    def grow(self, entries: Tail[Entry]) -> None:
        """Draw the entries that are new; those that were let go before they could be drawn are counted."""
        new, position = entries.since(self._read)
        if not new:
            return
        self._begin()
        missed = position - len(new) - self._read
        self._read = position
        if missed:
            self._add([(("ring--note", f"# {missed:,} entries skipped"),)])
        added: list[Line] = []
        for entry in new:
            lines = drawn(entry, self._presentation)
            self._calls.extend([entry.call] * len(lines))
            added += lines
        self.extend(added)

    def _begin(self) -> None:
        if self._hinting:
            self._hinting = False
            self._calls.clear()
            self.clear()

    def _add(self, lines: Sequence[Line]) -> None:
        """Lines that are of no call."""
        self._calls.extend([0] * len(lines))
        self.extend(lines)

    # Pointing at a call

    def point(self, call: int | None) -> None:
        """Mark the lines of a call, or none."""
        if call != self.pointed:
            self.pointed = call
            self.refresh()

    def action_point(self, direction: int) -> None:
        """The call before or after; without one, the last."""
        calls = sorted(set(self._calls) - {0})
        if not calls:
            self.scroll_relative(y=direction, animate=False)
            return
        index = calls.index(self.pointed) + direction if self.pointed in calls else len(calls) - (direction < 0)
        self._point_and_tell(calls[max(index, 0)] if index < len(calls) else None)

    def _point_and_tell(self, call: int | None) -> None:
        self.reveal(call)
        self.post_message(self.Pointed(call))

    def reveal(self, call: int | None) -> None:
        """Mark a call and bring it into view; with none, the newest line."""
        self.point(call)
        rows = [row for row in range(len(self._rows)) if call and self._call_at(row) == call]
        if rows:
            top = min(max(self.scroll_offset.y, rows[-1] - self.size.height + 1), rows[0])
            self.scroll_to(y=top, animate=False)
        elif call is None:
            self.scroll_end(animate=False)

    @property
    def last_call(self) -> int | None:
        """The newest call that is drawn."""
        return max(self._calls, default=0) or None

    def on_click(self, event: events.Click) -> None:
        """Point at the call under the pointer."""
        place = event.get_content_offset(self)
        row = place.y + round(self.scroll_y) if place is not None else len(self._rows)
        if row < len(self._rows) and (call := self._call_at(row)):
            self._point_and_tell(call)

    def _call_at(self, row: int) -> int:
        """The call whose row it is; 0 for none."""
        index = self._owners[row] - (self._total - len(self._lines))
        return self._calls[index] if 0 <= index < len(self._calls) else 0

    def mark(self, row: int) -> str:
        """The call that is pointed at: where it begins, and as far as it goes."""
        if not self.pointed or self._call_at(row) != self.pointed:
            return ""
        return "│" if row and self._call_at(row - 1) == self.pointed else "▸"
