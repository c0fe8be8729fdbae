"""The bytes at the cursor as numbers, as a character, and unpacked by a `struct` format.

Two lines, or a table when it is expanded. At each key it reads a few bytes of the source and copies nothing else.
"""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content
from textual.widgets import Static

from netlab.dissect.export import count_of_bytes
from netlab.dissect.numbers import WIDEST, Character, Number, character_at, numbers_at
from netlab.dissect.structview import LIMIT, FormatRefused, StructView, unpack_at
from netlab.ui.bytes.byte_source import ByteSource

_NARROW = 4
"""Bytes of the widest number on the short line."""


def one_line(numbers: tuple[Number, ...], character: Character) -> str:
    """The numbers of up to four bytes in network byte order, on one line; signed ones only if they differ."""
    shown = {number.name: number.big for number in numbers if number.size <= _NARROW}
    said = f"'{character.shown}'" if character.shown is not None else "not UTF-8"
    texts = [f"{name} {text}" for name, text in shown.items() if name[0] != "i" or text != shown["u" + name[1:]]]
    return " · ".join([*texts[:1], said, *texts[1:]])


def table(numbers: tuple[Number, ...], character: Character) -> str:
    """All numbers in both byte orders, and the character. Signed and unsigned share a line if they are equal."""
    by_values: dict[tuple[int, str, str], list[str]] = {}
    for number in numbers:
        by_values.setdefault((number.size, number.big, number.little), []).append(number.name)
    lines = [f"{'':7}  {'> big-endian':<22}  < little-endian"]
    for (size, big, little), names in by_values.items():
        lines.append(f"{' '.join(names):7}  {big:<22}  {little if size > 1 else ''}".rstrip())
    return "\n".join([*lines, f"utf8     {character.words}"])


class DataInspector(Static):
    """Numbers, character and struct values at an offset of a source."""

    DEFAULT_CSS = """
    DataInspector {
        height: auto; border-top: solid $primary-muted; border-title-color: $foreground; background: $background;
        text-wrap: nowrap; text-overflow: ellipsis;
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(markup=False, id=id)
        self.expanded = False
        self.low = False
        """There is room for only one line: the struct values if there is a format, else the numbers."""
        self.form = ""
        """The struct format; empty if none is set."""
        self.unpacked: StructView | None = None
        """The unpacked values at the cursor; None if the format does not fit."""
        self.element: Callable[[int], str] = lambda at: ""
        """Says which element of a view is at an offset; empty if no view is shown."""
        self._said: str | None = None
        self._place = self._note = self._note_keys = ""
        self.how_on = ""
        """The keys that show more; empty if none works now."""

    @property
    def note(self) -> str:
        """The remark about a search, beside the cursor's offset."""
        return self._note

    def remark(self, note: str, keys: str = "") -> None:
        """Show a remark about a search, and the keys that continue it."""
        if (note, keys) != (self._note, self._note_keys):
            self._note, self._note_keys = note, keys
            self._head()

    def _head(self) -> None:
        note = ", ".join(filter(None, (self._note, self._note_keys)))
        self.border_title = Content(" ── ".join(filter(None, (self._place, note)))).markup

    def show(self, source: ByteSource, offset: int, selection: tuple[int, int]) -> None:
        """Read at ``offset``."""
        low, high = selection
        title = f"at {offset:#x} ({offset})" if source.length else "no byte"
        if low < high:
            title += f" ── {count_of_bytes(high - low)} selected, {low:#x}–{high:#x}"
        self._place = title
        self._head()
        if not source.length:
            self.unpacked = None
            self._say("The values at the cursor appear here.\n")
            return
        if source.gaps(offset, offset + 1):
            self.unpacked = None
            self._say("The byte here is unknown.\n")
            return
        head = source.view(offset, offset + WIDEST)
        numbers, character = numbers_at(head), character_at(head)
        lines = table(numbers, character) if self.expanded else one_line(numbers, character)
        struct_line, element = self._struct(source, offset), self.element(offset)
        if self.low and not self.expanded:
            self._say(struct_line if self.form else element or lines)
        else:
            more = [struct_line] if struct_line or not element else []
            self._say("\n".join([*([element] if element else []), lines, *more]))

    def _say(self, text: str) -> None:
        """Show a text; the screen is laid out again only if the number of lines changed."""
        if text != self._said:
            self.update(Content(text), layout=self._said is None or text.count("\n") != self._said.count("\n"))
            self._said = text

    def _struct(self, source: ByteSource, offset: int) -> str:
        self.unpacked = None
        if not self.form:
            return self.how_on
        try:
            self.unpacked = unpack_at(self.form, source.view(offset, offset + LIMIT), offset)
        except FormatRefused as problem:
            return f"{self.form!r}: {problem}"
        return f"{self.unpacked.line} → {self.unpacked.values}"
