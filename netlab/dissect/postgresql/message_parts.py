"""The parts of a PostgreSQL message, read one after another: numbers, strings that end with a zero byte, values."""

from __future__ import annotations

from netlab.dissect.field_reader import FieldReader, Short
from netlab.dissect.fields import Field

SHOWN = 200
MOST_PARTS = 100
"""Columns, parameters or fields of a message that are listed; what follows is left as one."""
BINARY = -1
"""The type of a binary value of which no type is known."""
_NUMBERS, _TEXTS, _LONGEST_NUMBER = {20, 21, 23, 26}, {19, 25, 114, 1042, 1043}, 8


class Parts:
    """Reads the body of one message; each part becomes a field."""

    def __init__(self, body: FieldReader) -> None:
        self.body = body
        self.fields: list[Field] = []

    def number(self, name: str, size: int, words: dict[int, str] | None = None) -> int:
        """A signed number; ``words`` says what some numbers mean."""
        start = self.body.at
        raw = self.body.number(size)
        value = raw - (1 << 8 * size) if raw >> (8 * size - 1) else raw
        text = (words or {}).get(value, "")
        self.add(name, start, f"i{8 * size}", f"{value} {text}".rstrip() if text else str(value))
        return value

    def character(self, name: str, words: dict[str, str]) -> str:
        """A character, and what it means."""
        start = self.body.at
        found = chr(self.body.number(1))
        self.add(name, start, "char", words.get(found, repr(found)))
        return found

    def string(self, name: str) -> str:
        """Text up to a zero byte; shortened."""
        start = self.body.at
        end = _zero(self.body)
        self.body.skip(end + 1 - start)
        text = shown(self.body.data[start:end])
        self.add(name, start, "text", text)
        return text

    def value(self, name: str, kind: int) -> str:
        """A value with its length in front; the length -1 means null. ``kind`` is its type if it is binary, else 0."""
        start = self.body.at
        length = self.body.number(4)
        if length == 0xFFFFFFFF:
            self.add(name, start, "null", "null")
            return "null"
        raw = self.body.part(length).view()
        text = _binary(raw, kind) if kind else shown(raw)
        length_field = Field("length", start, start + 4, "i32", f"{length:,}")
        data = Field("value", start + 4, self.body.at, "bytes" if kind else "text", text)
        self.fields.append(Field(name, start, self.body.at, "value", text, (length_field, data)))
        return text

    def rest(self, name: str, kind: str = "text") -> str:
        """All that is left."""
        if not self.body.left:
            return ""
        text = shown(self.body.view()) if kind == "text" else self.body.hex()
        self.fields.append(self.body.rest(name, kind, text))
        return text

    def add(self, name: str, start: int, kind: str, value: str) -> None:
        """A field from ``start`` to where the reader stands."""
        self.fields.append(Field(name, start, self.body.at, kind, value))


def _binary(raw: memoryview, kind: int) -> str:
    """A value in binary form, by its type."""
    if kind in _NUMBERS and len(raw) <= _LONGEST_NUMBER:
        return str(int.from_bytes(raw, "big", signed=True))
    return shown(raw) if kind in _TEXTS else raw[:32].hex() + ("…" if len(raw) > 32 else "")


def _zero(body: FieldReader) -> int:
    """Where the next zero byte is, without copying much more than what lies before it."""
    at, size = body.at, 64
    while at < body.end:
        found = bytes(body.data[at : min(at + size, body.end)]).find(0)
        if found >= 0:
            return at + found
        at, size = at + size, size * 4
    raise Short(1)


def shown(raw: memoryview) -> str:
    """Text, shortened; or hex, if it is none."""
    text = str(raw[: 4 * SHOWN], "utf-8", "replace")[:SHOWN]
    if sum(1 for c in text if c == "\ufffd" or (not c.isprintable() and c not in "\r\n\t")) * 4 > len(text):
        return raw[:32].hex() + ("…" if len(raw) > 32 else "")
    return text + ("…" if len(raw) > len(text.encode("utf-8", "replace")) and len(text) == SHOWN else "")
