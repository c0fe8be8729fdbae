"""A place in some bytes that moves forward: how the binary dissectors read without copying.

It knows no protocol. Missing bytes raise `Short`, which a dissector turns into "waits for n bytes".
"""

from __future__ import annotations

from netlab.dissect.fields import Field


class Short(Exception):
    """There are fewer bytes than wanted; ``missing`` is how many fewer."""

    def __init__(self, missing: int) -> None:
        super().__init__(f"{missing} bytes are missing")
        self.missing = missing


class FieldReader:
    """Reads big-endian numbers and runs of bytes from ``data[at:end]``; offsets are those of ``data``."""

    __slots__ = ("at", "data", "end")

    def __init__(self, data: memoryview, at: int = 0, end: int | None = None) -> None:
        self.data = data
        self.at = at
        self.end = len(data) if end is None else end

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return self.end - self.at

    def skip(self, count: int) -> int:
        """Skip so many bytes; returns the offset of the first."""
        if self.left < count:
            raise Short(count - self.left)
        start = self.at
        self.at += count
        return start

    def number(self, size: int) -> int:
        """An unsigned number of ``size`` bytes."""
        start = self.skip(size)
        return int.from_bytes(self.data[start : self.at], "big")

    def part(self, count: int) -> FieldReader:
        """A reader of the next ``count`` bytes, which this one skips."""
        start = self.skip(count)
        return FieldReader(self.data, start, self.at)

    def vector(self, size: int) -> FieldReader:
        """A reader of the bytes that a length of ``size`` bytes announces (RFC 8446, section 3.4)."""
        return self.part(self.number(size))

    def view(self) -> memoryview:
        """All that is left, as a view, without moving."""
        return self.data[self.at : self.end]

    def text(self) -> str:
        """All that is left, as text; undecodable bytes become backslash escapes."""
        start = self.skip(self.left)
        return str(self.data[start : self.end], "utf-8", "backslashreplace")

    def hex(self, most: int = 32) -> str:
        """The first bytes of what is left, in hex, without moving."""
        shown = self.data[self.at : min(self.end, self.at + most)].hex()
        return shown + ("…" if self.left > most else "")

    def rest(self, name: str, kind: str = "bytes", value: str | None = None) -> Field:
        """All that is left as one field."""
        shown = self.hex() if value is None else value
        start = self.skip(self.left)
        return Field(name, start, self.end, kind, shown)
