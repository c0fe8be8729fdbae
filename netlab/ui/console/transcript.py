"""A session's transcript as a Python prompt shows it: ``>>> s.send(b'Hello')``, then ``5``; notes as comments."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from netlab.lab.bounded_log import BoundedLog
from netlab.lab.state import Entry, EntryKind
from netlab.ui.widgets.formatting import Formatting
from netlab.ui.widgets.scrollback import Line, hanging, wrapped
from netlab.ui.widgets.searched_scrollback import SearchedScrollback

FOLD = 3
"""Rows of a result that are shown until it is unfolded."""

SHOWN = 40
"""Lines of one entry that are drawn; the rest is counted. The session's transcript keeps all of them."""

_LONGEST = 4000
"""Characters of one line that are drawn."""

_STYLES = {
    EntryKind.CALL: "scrollback--call",
    EntryKind.RESULT: "",
    EntryKind.ERROR: "scrollback--error",
    EntryKind.NOTE: "scrollback--note",
}
_FIRST = {EntryKind.CALL: ">>> ", EntryKind.RESULT: "", EntryKind.ERROR: "", EntryKind.NOTE: "# "}
_NEXT = {EntryKind.CALL: "... ", EntryKind.RESULT: "", EntryKind.ERROR: "", EntryKind.NOTE: "# "}


def drawn(entry: Entry, formatting: Formatting) -> list[Line]:
    """The lines of an entry; prefixes show its kind, as do the colours."""
    style = _STYLES[entry.kind]
    texts = entry.text.split("\n", SHOWN + 1)
    lines: list[Line] = []
    for index, text in enumerate(texts[:SHOWN]):
        prefix = _NEXT[entry.kind] if index else _FIRST[entry.kind]
        cut = len(text) - _LONGEST
        shown = formatting.text(text[:_LONGEST]) + (f" … {cut:,} more characters" if cut > 0 else "")
        lines.append((("scrollback--faint" if entry.kind is EntryKind.CALL else style, prefix), (style, shown)))
    if len(texts) > SHOWN:
        lines.append((("scrollback--note", f"# … {entry.text.count(chr(10)) + 1 - SHOWN:,} more lines"),))
    return lines


def folded(lines: Sequence[Line], text: str, width: int) -> list[Line]:
    """The first `FOLD` rows of ``lines`` at ``width`` cells, and how much more of ``text`` there is; all of the lines
    if they fit."""
    room, kept = FOLD, list[Line]()
    for line in lines:
        rows = wrapped(line, width, hanging(line))
        kept.append(tuple(part for row in rows[:room] for part in row))
        room -= len(rows)
        if room < 0 or (room == 0 and len(kept) < len(lines)):
            break
    else:
        return list(lines)
    more, unit = text.count("\n") + 1 - len(kept), "line"
    if not more:
        more, unit = len(text) - sum(len(part) for line in kept for _, part in line), "character"
    return [*kept, (("scrollback--note", f"# … {more:,} more {unit}{'s'[: more != 1]}"),)]


def copied(entries: Iterable[Entry]) -> str:
    """A transcript as text to paste into a Python prompt or a document."""
    lines: list[str] = []
    for entry in entries:
        first, *rest = entry.text.split("\n")
        lines += [_FIRST[entry.kind] + first, *(_NEXT[entry.kind] + line for line in rest)]
    return "\n".join(lines)


class Transcript(SearchedScrollback):
    """Shows one session's entries, or a few hints while there are none. One call can be selected."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "point(-1)", "previous call", id="transcript.up",
                tooltip="Select the previous call: its segments are marked in the wire"),
        Binding("down,j", "point(1)", "next call", show=False, id="transcript.down",
                tooltip="Select the next call; after the last, none"),
        Binding("enter", "unfold", "unfold", id="transcript.unfold",
                tooltip="Show all of the selected (or last) call's result, or only three lines"),
    ]  # fmt: skip

    @dataclass
    class Pointed(Message):
        """The user selected another call (None: none)."""

        call: int | None

    def __init__(self, formatting: Formatting, hints: Sequence[str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._formatting = formatting
        self._hints = hints
        self._read = 0
        self._hinting = True
        self._calls: deque[int] = deque(maxlen=self.LIMIT)
        self._drawn: deque[Entry | Sequence[Line]] = deque(maxlen=self.LIMIT)
        """The drawn entries and lines, so that they can be drawn again, folded or not."""
        self._unfolded: set[int] = set()
        """The calls whose results are unfolded."""
        self._folded_calls: set[int] = set()
        self._fold_width = 0
        self.pointed: int | None = None

    def show(self, entries: BoundedLog[Entry] | None) -> None:
        """Show another session's entries from the start, or the hints if there are none."""
        self.clear()
        self._forget()
        self._unfolded.clear()
        self._read, self.pointed = 0, None
        self._hinting = not entries
        if not entries:
            self._add([(("scrollback--note", "# "), ("scrollback--note", hint)) for hint in self._hints])
        else:
            self.grow(entries)

    def add(self, lines: Sequence[Line]) -> None:
        """Draw lines that do not belong to the session, such as the lab's answers."""
        self._begin()
        self._add(lines)

    def grow(self, entries: BoundedLog[Entry]) -> None:
        """Draw the new entries; those that were discarded before they could be drawn are counted."""
        new, position = entries.since(self._read)
        if not new:
            return
        self._begin()
        missed = position - len(new) - self._read
        self._read = position
        if missed:
            self._add([(("scrollback--note", f"# {missed:,} entries skipped"),)])
        self._drawn.extend(new)
        self.extend([line for entry in new for line in self._lines_of(entry)])
        self.refresh_bindings()

    def _lines_of(self, entry: Entry) -> list[Line]:
        """The lines of an entry, folded if it is a long result."""
        lines = drawn(entry, self._formatting)
        self._fold_width = self._wrap_width
        if entry.kind is EntryKind.RESULT and self._wrap_width:
            short = folded(lines, entry.text, self._wrap_width)
            if len(short) != len(lines) or short[-1] != lines[-1]:
                self._folded_calls.add(entry.call)
                lines = lines if entry.call in self._unfolded else short
        self._calls.extend([entry.call] * len(lines))
        return lines

    def _forget(self) -> None:
        """Clear what is known of drawn entries."""
        self._calls.clear()
        self._drawn.clear()
        self._folded_calls.clear()

    def _draw_again(self) -> None:
        """Draw the same entries again, folded as they are now."""
        before, place, follow = list(self._drawn), self.scroll_offset.y, self.follows
        self._forget()
        self.clear()
        added: list[Line] = []
        for each in before:
            self._drawn.append(each)
            lines = self._lines_of(each) if isinstance(each, Entry) else list(each)
            if not isinstance(each, Entry):
                self._calls.extend([0] * len(lines))
            added += lines
        self.extend(added)
        if not follow:
            self.scroll_to(y=place, animate=False)

    def on_resize(self, event: events.Resize) -> None:
        """Fold again at the new width."""
        super().on_resize(event)
        if self._folded_calls and self._fold_width != self._wrap_width:
            self._draw_again()

    def _foldable(self) -> int | None:
        """The call whose result the key would fold or unfold."""
        if self.pointed is not None:
            return self.pointed if self.pointed in self._folded_calls else None
        return max(self._folded_calls, default=None)

    @property
    def last_is_folded(self) -> bool:
        """Whether the newest call's result is folded."""
        return self.last_call in self._folded_calls - self._unfolded

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only long results can be unfolded."""
        return self._foldable() is not None if action == "unfold" else super().check_action(action, parameters)

    def action_unfold(self) -> None:
        """Unfold a result, or fold it again."""
        call = self._foldable()
        if call is not None:
            self._unfolded ^= {call}
            self._draw_again()
            self._go_to_call(call)

    def _begin(self) -> None:
        if self._hinting:
            self._hinting = False
            self._forget()
            self.clear()

    def _add(self, lines: Sequence[Line]) -> None:
        """Add lines that belong to no call."""
        self._drawn.append(lines)
        self._calls.extend([0] * len(lines))
        self.extend(lines)

    # The selected call

    def point(self, call: int | None) -> None:
        """Mark the lines of a call, or of none."""
        if call != self.pointed:
            self.pointed = call
            self.refresh()
            self.refresh_bindings()

    def action_point(self, direction: int) -> None:
        """Select the previous or next call; without a selection, the last."""
        calls = sorted(set(self._calls) - {0})
        if not calls:
            self.scroll_relative(y=direction, animate=False)
            return
        index = calls.index(self.pointed) + direction if self.pointed in calls else len(calls) - (direction < 0)
        self._go_to_call(calls[max(index, 0)] if index < len(calls) else None)

    def _go_to_call(self, call: int | None) -> None:
        self.reveal(call)
        self.post_message(self.Pointed(call))

    def reveal(self, call: int | None) -> None:
        """Mark a call and scroll to it; without one, scroll to the newest line."""
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
        """Select the call under the pointer."""
        place = event.get_content_offset(self)
        row = place.y + round(self.scroll_y) if place is not None else len(self._rows)
        if row < len(self._rows) and (call := self._call_at(row)):
            self._go_to_call(call)

    def _call_at(self, row: int) -> int:
        """The call that a row belongs to; 0 for none."""
        index = self._owners[row] - (self._total - len(self._lines))
        return self._calls[index] if 0 <= index < len(self._calls) else 0

    def mark(self, row: int) -> str:
        """The sign before the rows of the selected call."""
        if not self.pointed or self._call_at(row) != self.pointed:
            return ""
        return "│" if row and self._call_at(row - 1) == self.pointed else "▸"
