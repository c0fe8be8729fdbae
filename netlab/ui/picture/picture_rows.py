"""The rows of a picture as lines: folded to one line each, or unfolded, with what is long wrapped. It knows no widget.

A row is known by its path: its index, and those of the rows around it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rich.cells import cell_len

from netlab.dissect.picture import MOST_ROWS, Picture, Row, Tone
from netlab.dissect.text import safe
from netlab.ui.widgets.scrollback import breaks

Path = tuple[int, ...]
INDENT = 2
LONGEST = 20_000
"""Characters of a row that are shown when it is unfolded."""
FOLDED, UNFOLDED, LEAF = "▸ ", "▾ ", "  "


class PictureLine(NamedTuple):
    """One line: what stands before its text, and the row that it shows or continues."""

    path: Path
    row: Row
    text: str
    begins: bool = True
    """Whether the row begins here."""

    @property
    def depth(self) -> int:
        """How many rows stand around it."""
        return len(self.path) - 1


class PictureRows:
    """A picture's rows, of which some are unfolded; the width is that of the text and what stands before it."""

    def __init__(self) -> None:
        self.picture = Picture("", ())
        self.unfolded: set[Path] = set()
        self.width = 80
        self.lines: list[PictureLine] = []
        self._numbers = 0
        self._places: dict[Path, int] = {}

    @property
    def number_width(self) -> int:
        """Cells of the column of segment numbers, with the space behind it; 0 if no row has one."""
        return self._numbers + 1 if self._numbers else 0

    def show(self, picture: Picture) -> None:
        """Show another picture; what was unfolded stays so."""
        self.picture = picture
        most = max((row.segment for _, row in self.walk()), default=0)
        self._numbers = len(str(most)) if most else 0
        self.lay_out()

    def lay_out(self) -> None:
        """Make the lines again: the width has changed, or what is unfolded."""
        self.lines = list(self._lines(self.picture.rows, ()))
        self._places = {line.path: at for at, line in enumerate(self.lines) if line.begins}

    def _lines(self, rows: tuple[Row, ...], around: Path) -> Iterator[PictureLine]:
        for index, row in enumerate(rows):
            path = (*around, index)
            if path not in self.unfolded:
                yield PictureLine(path, row, row.text[: 4 * self.width])
                continue
            for number, text in enumerate(self._wrapped(row, len(path) - 1)):
                yield PictureLine(path, row, text, not number)
            yield from self._lines(row.details, path)

    def _wrapped(self, row: Row, depth: int) -> Iterator[str]:
        cut = len(row.text) - LONGEST
        more = f"… {cut:,} more characters" if cut > 0 else ""
        text = safe(row.text[:LONGEST]) + more
        for start, end in breaks(text, max(self.room(depth), 10)):
            yield text[start:end]

    def room(self, depth: int) -> int:
        """Cells for a row's own text."""
        return self.width - self.number_width - INDENT * depth - len(LEAF)

    def folds(self, line: PictureLine) -> bool:
        """Whether a row has more than its one line shows."""
        return bool(line.row.details) or len(line.row.text) > len(line.text) or self.is_cut(line)

    def is_cut(self, line: PictureLine) -> bool:
        """Whether a line is longer than the room for it."""
        text = line.text
        long = len(text) if text.isascii() else cell_len(safe(text))
        return long > self.room(line.depth)

    def mark(self, line: PictureLine) -> str:
        """What stands before a row's text: whether it is folded."""
        if not line.begins:
            return LEAF
        if line.path in self.unfolded:
            return UNFOLDED
        return FOLDED if self.folds(line) else LEAF

    def toggle(self, path: Path) -> None:
        """Fold a row, or unfold it."""
        self.unfolded ^= {path}
        self.lay_out()

    def reveal(self, path: Path) -> None:
        """Unfold the rows around one."""
        around = {path[:length] for length in range(1, len(path))}
        if not around <= self.unfolded:
            self.unfolded |= around
            self.lay_out()

    # Rows

    def walk(self) -> Iterator[tuple[Path, Row]]:
        """Every row, from top to bottom, those that are folded away too; not more than a picture may have."""
        waiting: list[tuple[Path, Row]] = []
        waiting += [((index,), row) for index, row in enumerate(self.picture.rows)][::-1]
        for _ in range(MOST_ROWS):
            if not waiting:
                return
            path, row = waiting.pop()
            yield path, row
            waiting += [((*path, index), each) for index, each in enumerate(row.details)][::-1]

    def place(self, path: Path) -> int:
        """The line on which a row begins, or one around it; -1 if there is none."""
        around = (path[:length] for length in range(len(path), 0, -1))
        return next((self._places[each] for each in around if each in self._places), -1)

    def about(self, segment: int) -> Path | None:
        """The first row at the top that is about a segment, or has a detail about it; else the last one before it."""
        before: Path | None = None
        for path, row in self.walk():
            if row.segment == segment:
                return path[:1] if path[:1] not in self.unfolded else path
            if row.segment and row.segment < segment and len(path) == 1:
                before = path
        return before

    def found(self, text: str) -> list[Path]:
        """The rows that have a text, in any case."""
        wanted = text.casefold()
        return [path for path, row in self.walk() if wanted in safe(row.text).casefold()] if wanted else []


TONES = {Tone.PLAIN: "", Tone.GOOD: "picture--good", Tone.WRONG: "picture--wrong", Tone.QUIET: "picture--quiet"}
"""The style of each tone's text."""
