"""What the bytes at the cursor are as numbers and as a character, and what a `struct` format makes of them.

Two lines, or a table when it is expanded. It reads a few bytes of the source at each key and copies nothing else.
"""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from netlab.dissect.numbers import WIDEST, Number, character_at, numbers_at
from netlab.dissect.structview import LIMIT, FormatRefused, StructView, unpack_at
from netlab.ui.byte_source import ByteSource

_COMPACT = ("u8", "i8", "u16", "i16", "u32", "i32", "f32")


def one_line(numbers: tuple[Number, ...], character: str) -> str:
    """The numbers in network byte order, on one line; the widest come last and may be cut off."""
    parts = [f"{number.name} {number.big}" for number in numbers if number.name in ("u8", "i8", "u16", "u32")]
    parts.insert(1, character.split(" U+")[0] if character.startswith("'") else "no char")
    parts += [f"{number.name} {number.big}" for number in numbers if number.name in ("i16", "i32", "f32")]
    return " · ".join(parts)


def table(numbers: tuple[Number, ...], character: str) -> str:
    """All numbers in both byte orders, one type a line, and the character."""
    width = max((len(number.big) for number in numbers), default=3)
    lines = [f"{'':4}  {'big-endian >':<{max(width, 12)}}  little-endian <"]
    lines += [f"{n.name:4}  {n.big:<{max(width, 12)}}  {n.little if n.size > 1 else '(one byte)'}" for n in numbers]
    return "\n".join([*lines, f"utf8  {character}"])


class AtCursor(Static):
    """Numbers, character and struct values at an offset of a source."""

    DEFAULT_CSS = """
    AtCursor {
        height: auto; border-top: solid $primary-muted; border-title-color: $foreground; background: $background;
        text-wrap: nowrap; text-overflow: ellipsis;
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(markup=False, id=id)
        self.expanded = False
        self.form = ""
        """The struct format, empty for none."""
        self.unpacked: StructView | None = None
        """What the format gave at the cursor, None where it does not fit."""

    def show(self, source: ByteSource, offset: int, selection: tuple[int, int]) -> None:
        """Read at ``offset``."""
        low, high = selection
        title = f"at {offset:#x} ({offset})" if source.length else "at no byte"
        if low < high:
            title += f" ── {high - low} {'byte' if high == low + 1 else 'bytes'} selected, {low:#x}–{high:#x}"
        self.border_title = Content(title).markup
        head = source.view(offset, offset + WIDEST)
        numbers, character = numbers_at(head), character_at(head)
        lines = table(numbers, character) if self.expanded else one_line(numbers, character)
        self.update(Content(f"{lines}\n{self._struct(source, offset)}"))

    def _struct(self, source: ByteSource, offset: int) -> str:
        self.unpacked = None
        if not self.form:
            return "u unpacks a struct format here"
        try:
            self.unpacked = unpack_at(self.form, source.view(offset, offset + LIMIT), offset)
        except FormatRefused as problem:
            return f"{self.form!r}: {problem}"
        return f"{self.unpacked.line} → {self.unpacked.values}"
