"""Finds text in all rows of a picture, also in those that are folded away. It knows no widget."""

from __future__ import annotations

import re
from collections.abc import Callable

from rich.cells import cell_len

from netlab.dissect.text import safe
from netlab.ui.picture.picture_rows import Path, PictureRows


class PictureSearch:
    """The matches of one text among some rows. ``here`` is the cursor's row, ``go`` goes to another.

    ``changed`` is called when the marks have changed.
    """

    def __init__(
        self, rows: PictureRows, here: Callable[[], Path], go: Callable[[Path], None], changed: Callable[[], None]
    ) -> None:
        self._rows, self._here, self._go, self._changed = rows, here, go, changed
        self._text = ""
        self.pattern: re.Pattern[str] | None = None
        """What is marked."""
        self._matches: list[Path] = []
        self._match: int | None = None

    @property
    def match(self) -> int | None:
        """Which of the matches was gone to."""
        return self._match

    def look_for(self, text: str, match: int | None = None) -> int:
        """Mark a text in all rows; the number of rows that have it."""
        self._text, self._match = text, match
        self.pattern = re.compile(re.escape(text), re.IGNORECASE) if text else None
        self.look_again()
        self._changed()
        return len(self._matches)

    def look_again(self) -> None:
        """The rows are others."""
        self._matches = self._rows.found(self._text)

    def show_match(self, step: int) -> None:
        """Go to a match, and unfold what hides it."""
        if not self._matches:
            return
        here = self._here()
        after = [index for index, path in enumerate(self._matches) if (path > here if step else path >= here)]
        before = [index for index, path in enumerate(self._matches) if path < here]
        self._match = (before or [len(self._matches) - 1])[-1] if step < 0 else (after or [0])[0]
        path = self._matches[self._match]
        self._rows.reveal(path)
        if path not in self._rows.unfolded and self._is_hidden(path):
            self._rows.toggle(path)
        self._go(path)

    def _is_hidden(self, path: Path) -> bool:
        """Whether the match lies behind the "…" of a row."""
        line = self._rows.lines[self._rows.place(path)]
        text = safe(line.text)
        found = self.pattern.search(text) if self.pattern is not None else None
        return found is None or cell_len(text[: found.end()]) > self._rows.room(line.depth)
