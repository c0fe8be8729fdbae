"""The lines that ``netlab call`` runs: words of its command line, or lines of a file or of a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

from netlab.dissect.text import safe

STANDARD_INPUT = "-"
LONGEST = 1 << 20
"""Characters of a line; a part of a longer one would be another call."""


class CallLine(NamedTuple):
    """A console line, and where it stands: ``calls.txt:3``; empty for a word of the command line."""

    text: str
    where: str = ""

    def about(self, sentence: str) -> str:
        """A sentence about this line."""
        return f"{self.where}: {sentence}" if self.where else sentence


def of_words(words: Sequence[str]) -> list[CallLine]:
    """Each word of the command line."""
    return list(map(CallLine, words))


def of_file(name: str) -> Iterable[CallLine]:
    """The lines of a file, all of them read now; those of ``-`` as they come. Raises `OSError`.

    Empty lines, and those that begin with ``#``, are left out. A line that is too long raises `ValueError`.
    """
    if name == STANDARD_INPUT:
        sys.stdin.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]  # cli.main leaves it a text file
        return _lines(sys.stdin, "standard input")
    with Path(name).open(encoding="utf-8", errors="surrogateescape") as file:
        return list(_lines(file, name))


def _lines(file: TextIO, name: str) -> Iterator[CallLine]:
    number = 0
    while line := file.readline(LONGEST + 1):
        number += 1
        where = f"{safe(name)}:{number}"
        if len(line) > LONGEST:
            raise ValueError(f"{where}: a line has at most {LONGEST:,} characters")
        text = line.strip()
        if text and not text.startswith("#"):
            yield CallLine(text, where)
