"""What a program writes, as bounded lines. It does no I/O."""

from __future__ import annotations

import re
from typing import Final

LONGEST_LINE: Final = 1 << 13
"""Bytes of a line that are kept; the rest of it is left out."""
_ESCAPES: Final = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]")  # colours and movements (ECMA-48, 5.4): not part of the text


class OutputLines:
    """Cuts output into lines. The newest lines are kept as the program's last words."""

    def __init__(self) -> None:
        self._rest = b""
        self._overlong = False
        self.last = ""
        """The last line that was not empty."""

    @property
    def unfinished(self) -> bool:
        """Whether a line was begun, as by a prompt."""
        return bool(self._rest)

    def feed(self, got: bytes) -> list[str]:
        """The lines that end in what has come."""
        *ended, rest = (self._rest + got).split(b"\n")
        if ended and self._overlong:  # its beginning was shown
            ended[0], self._overlong = b"", False
            ended = ended[1:]
        if self._overlong:
            rest = b""
        self._rest = rest
        lines = [self._text(line) for line in ended]
        if len(rest) > LONGEST_LINE:
            lines += self.flush()
            self._overlong = True
        return lines

    def flush(self) -> list[str]:
        """The line that was begun, as far as it has come."""
        rest, self._rest = self._rest, b""
        return [self._text(rest)] if rest else []

    def _text(self, line: bytes) -> str:
        shown = line[:LONGEST_LINE].rstrip(b"\r").rpartition(b"\r")[2]  # a terminal writes over what stands before it
        text = _ESCAPES.sub(b"", shown).decode(errors="replace")
        if text.strip():
            self.last = text
        return text
