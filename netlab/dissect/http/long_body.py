"""A body that is too long to wait for: read part by part, only to know where it ends."""

from __future__ import annotations

import re
from dataclasses import dataclass

from netlab.dissect.http.message import HttpMessage
from netlab.dissect.http.values import LONGEST_LINE, line_end

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?")


@dataclass(slots=True)
class LongBody:
    """How far a body has been read: ``left`` bytes of it, or of the chunk, are still to come."""

    total: int | None
    """The announced length; None if only its end shows it."""
    chunked: bool = False
    left: int = 0
    read: int = 0
    over: bool = False
    problem: str = ""
    trailer: bool = False

    def words(self, before: int) -> str:
        """What part of the body comes after so many bytes of it."""
        of = f" of {self.total:,}" if self.total is not None else ""
        return f"bytes {before:,}–{self.read:,}{of} of the body"

    def read_on(self, data: memoryview, start: int) -> int:
        """Read from ``start``; where reading ended."""
        if not self.chunked:
            here = len(data) - start if self.total is None else min(self.left, len(data) - start)
            self.read, self.left = self.read + here, max(self.left - here, 0)
            self.over = self.total is not None and not self.left
            return start + here
        position = start
        while position < len(data) and not self.over:
            if self.left:
                here = min(self.left, len(data) - position)
                self.read += max(min(here, self.left - 2), 0)
                self.left, position = self.left - here, position + here
            elif (end := line_end(data, position)) is not None:
                self._line(bytes(data[position:end]).removesuffix(b"\r"))
                position = end + 1
            elif len(data) - position > LONGEST_LINE:
                self.over, self.problem = True, "a chunk's size is not a number"
            else:
                break
        return position

    def _line(self, line: bytes) -> None:
        """A chunk's size, or a line of the trailer."""
        if self.trailer:
            self.over = not line
        elif match := _SIZE.fullmatch(line):
            size = int(match[1], 16)
            self.left, self.trailer = (size + 2 if size else 0), not size
        else:
            self.over, self.problem = True, "a chunk's size is not a number"


def body_after(message: HttpMessage) -> LongBody | None:
    """The body that follows a message's head; None if its length is not known."""
    if message.head_end is None:
        return None
    lengths = message.values("content-length")
    if [coding.lower() for coding in message.values("transfer-encoding")] == ["chunked"]:
        return LongBody(None, chunked=True)
    if lengths:
        return LongBody(int(lengths[0]), left=int(lengths[0])) if re.fullmatch("[0-9]{1,18}", lengths[0]) else None
    return LongBody(None)
