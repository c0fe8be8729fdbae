"""Editing bytes: overwrite, insert and delete, as hex digits or as text, with undo.

Pure: characters and commands go in, bytes and a cursor come out. It knows no widget.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

LONGEST = 1 << 20
"""The largest number of bytes that can be edited."""
_STEPS_BACK = 200


class EditSource:
    """The bytes for the hex view, with one place after the last where more can be added."""

    def __init__(self, held: bytes) -> None:
        self._held = memoryview(held)

    @property
    def length(self) -> int:
        """The number of bytes, plus the place after them."""
        return len(self._held) + 1

    def view(self, start: int, end: int) -> memoryview:
        """A slice; the place after the bytes is a zero, and a gap."""
        part = self._held[max(start, 0) : max(end, 0)]
        return memoryview(bytes(part) + b"\0") if start <= len(self._held) < end else part

    def runs(self, start: int, end: int) -> Iterator[memoryview]:
        """The bytes themselves."""
        if part := self._held[max(start, 0) : max(end, 0)]:
            yield part

    def starts(self, start: int, end: int) -> Sequence[int]:
        """A single run has no boundaries to mark."""
        return ()

    def run_at(self, offset: int) -> int:
        """Always the one run."""
        return 0

    def gaps(self, start: int, end: int) -> Sequence[tuple[int, int]]:
        """The place after the bytes."""
        last = len(self._held)
        return ((last, last + 1),) if start <= last < end else ()


class Edit:
    """Bytes being edited. ``cursor`` may stand after the last; ``low``: the next digit is a byte's second one.

    ``as_text`` and ``inserting`` are the typing modes.
    """

    def __init__(self, held: bytes) -> None:
        self.held = bytearray(held)
        self.cursor = 0
        self.low = self.as_text = self.inserting = False
        self._before: list[tuple[bytes, int]] = []

    @property
    def source(self) -> EditSource:
        """The bytes as they are now."""
        return EditSource(bytes(self.held))

    def move(self, cursor: int) -> None:
        """Move the cursor; a half-typed byte stays as it is."""
        if cursor != self.cursor:
            self.cursor, self.low = min(max(cursor, 0), len(self.held)), False

    def type(self, character: str) -> bool:
        """Type a character. False if it is not valid here, or there are too many bytes."""
        if self.as_text:
            return self._change(lambda: self._put(character.encode("utf-8", "replace")))
        if character not in "0123456789abcdefABCDEF":
            return False
        return self._change(lambda: self._digit(int(character, 16)))

    def delete(self, selection: tuple[int, int] = (0, 0)) -> bool:
        """Delete the selection, else the byte at the cursor."""
        start, end = selection if selection[0] < selection[1] else (self.cursor, self.cursor + 1)
        return start < len(self.held) and self._change(lambda: self._cut(start, end))

    def rub_out(self) -> bool:
        """Delete the byte before the cursor, or the digit that was just typed."""
        if self.low:
            return self.undo()
        return self.cursor > 0 and self._change(lambda: self._cut(self.cursor - 1, self.cursor))

    def undo(self) -> bool:
        """Undo the last change."""
        if not self._before:
            return False
        held, self.cursor = self._before.pop()
        self.held, self.low = bytearray(held), False
        return True

    def _change(self, change: Callable[[], None]) -> bool:
        before = bytes(self.held), self.cursor
        if len(self.held) >= LONGEST:
            return False
        change()
        self._before = [*self._before[1 - _STEPS_BACK :], before]
        return True

    def _cut(self, start: int, end: int) -> None:
        del self.held[start:end]
        self.cursor, self.low = min(start, len(self.held)), False

    def _put(self, typed: bytes) -> None:
        end = self.cursor if self.inserting else self.cursor + len(typed)
        self.held[self.cursor : end] = typed
        self.cursor += len(typed)

    def _digit(self, value: int) -> None:
        """The first digit adds a byte or sets its upper half; the second sets its lower half and moves on."""
        if self.low:
            self.held[self.cursor] = self.held[self.cursor] & 0xF0 | value
            self.cursor, self.low = self.cursor + 1, False
            return
        if self.inserting or self.cursor == len(self.held):
            self.held[self.cursor : self.cursor] = bytes([value << 4])
        else:
            self.held[self.cursor] = value << 4 | self.held[self.cursor] & 0x0F
        self.low = True
