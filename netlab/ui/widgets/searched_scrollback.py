"""A searchable scrollback: matches are drawn reversed, and the current one has a sign in the margin."""

from __future__ import annotations

import re
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.binding import BindingType
from textual.strip import Strip

from netlab.ui.widgets.find_bar import FindBar, find_keys, next_match
from netlab.ui.widgets.scrollback import Scrollback

_REVERSE = Style(reverse=True)


class SearchedScrollback(Scrollback):
    """A searchable scrollback; its container shows its `find_bar` below it."""

    MARGIN = 1
    BINDINGS: ClassVar[list[BindingType]] = [
        *find_keys("scroll"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.find_bar = FindBar(self, self)
        self._pattern: re.Pattern[str] | None = None
        self._match: int | None = None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The next and previous match are available only after a search."""
        if action == "find":
            return not self.find_bar.asking
        if action in ("find_next", "clear"):
            return self.find_bar.searching
        return super().check_action(action, parameters)

    def action_find(self) -> None:
        """Ask for a text to find."""
        self.find_bar.find()

    def action_find_next(self, step: int) -> None:
        """Go to the next match, or the previous one."""
        self.show_match(step)

    def action_clear(self) -> None:
        """Remove the search marks."""
        self.find_bar.clear()

    @property
    def match(self) -> int | None:
        """The number of the line gone to."""
        return self._match

    def look_for(self, text: str, match: int | None = None) -> int:
        """Mark a text. Returns the number of lines that contain it."""
        self._pattern = re.compile(re.escape(text), re.IGNORECASE) if text else None
        self._match = match
        self.refresh()
        self.refresh_bindings()
        return len(self._matches())

    def _matches(self) -> list[int]:
        """The numbers of the lines that contain the text."""
        first, pattern = self._total - len(self._lines), self._pattern
        if pattern is None:
            return []
        texts = ("".join(part[1] for part in line) for line in self._lines)
        return [number for number, text in enumerate(texts, first) if pattern.search(text)]

    def show_match(self, step: int) -> None:
        """Go to a match."""
        found = self._matches()
        if not found or not self._owners:
            return
        top = min(self.scroll_offset.y, len(self._owners) - 1)
        here = self._owners[top] if self._match is None else self._match
        self._match = next_match(found, here, step)
        row = self._owners.index(self._match) if self._match in self._owners else 0
        if not self.scroll_offset.y <= row < self.scroll_offset.y + self.size.height:
            self.scroll_to(y=max(row - self.size.height // 3, 0), animate=False)
        self.refresh()

    def _margin(self, row: int) -> str:
        return "»" if self._match is not None and self._owners[row] == self._match else super()._margin(row)

    def _selected(self, segments: list[Segment], row: int) -> list[Segment]:
        segments = super()._selected(segments, row)
        if self._pattern is None:
            return segments
        strip = Strip(segments)
        text, pieces, done = strip.text, [], 0
        for found in self._pattern.finditer(text):
            start, end = cell_len(text[: found.start()]), cell_len(text[: found.end()])
            pieces += [*strip.crop(done, start), *strip.crop(start, end).apply_style(_REVERSE)]
            done = end
        return [*pieces, *strip.crop(done)]
