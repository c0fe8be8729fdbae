"""A session's transcript, as a Python prompt would show it: ``>>> s.send(b'Hello')``, then ``5``; notes as comments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from netlab.lab.state import Entry, EntryKind
from netlab.lab.tail import Tail
from netlab.ui.presentation import Presentation
from netlab.ui.ring import Line, Ring

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


class Transcript(Ring):
    """Shows one session's entries, or a few hints while there are none."""

    def __init__(self, presentation: Presentation, hints: Sequence[str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._presentation = presentation
        self._hints = hints
        self._read = 0
        self._hinting = True

    def show(self, entries: Tail[Entry] | None) -> None:
        """Show another session's entries from the start, or the hints where there are none."""
        self.clear()
        self._read = 0
        self._hinting = not entries
        if not entries:
            self.extend([(("ring--note", f"# {hint}"),) for hint in self._hints])
        else:
            self.grow(entries)

    def add(self, lines: Sequence[Line]) -> None:
        """Draw lines that are not of the session: what the lab answered."""
        self._begin()
        self.extend(lines)

    def grow(self, entries: Tail[Entry]) -> None:
        """Draw the entries that are new; those that were let go before they could be drawn are counted."""
        new, position = entries.since(self._read)
        if not new:
            return
        self._begin()
        missed = position - len(new) - self._read
        self._read = position
        skipped: list[Line] = [(("ring--note", f"# {missed:,} entries skipped"),)] if missed else []
        self.extend([*skipped, *(line for entry in new for line in drawn(entry, self._presentation))])

    def _begin(self) -> None:
        if self._hinting:
            self._hinting = False
            self.clear()
