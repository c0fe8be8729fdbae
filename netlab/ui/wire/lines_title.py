"""The title above the lines of the wire list: whether they follow, how far a file is read, a note, and keys."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from netlab.ui.keys.hints import hint
from netlab.ui.wire.segment_rows import SegmentRows


class LinesTitle:
    """Sets the title of ``lines``, which show these rows. It names a key only while the key works."""

    def __init__(self, lines: Widget, rows: SegmentRows, *, live: bool) -> None:
        self._lines, self._rows, self._live = lines, rows, live
        self._shown = self._how_to_follow = self._progress = ""
        self.how_to_stop = ""
        """The key that stops what takes long."""
        self.stoppable = False
        """Whether a file is being read, and a key stops that."""

    def update(self) -> None:
        """Set the title if it has changed."""
        title = self._rows.title(self._live, self._how_to_follow)
        if title != self._shown:
            self._shown = title
            self._lines.border_title = Content(title).markup

    def note(self, note: str) -> None:
        """Show a remark."""
        self._rows.note = note
        self.update()

    def progress(self, words: str, key: tuple[str, str]) -> None:
        """Show how far a file is read, and what a key does about it (as in `hint`)."""
        if words != self._progress:
            self._progress, self.stoppable = words, bool(words) and key[0] == "stop"
            self._rows.progress = ", ".join(filter(None, [words, hint(self._lines, key)]))
            self.update()

    def name_keys(self) -> None:
        """Name the keys that work now."""
        self._how_to_follow = hint(self._lines, ("follow", "{}: follow again"))
        self.how_to_stop = hint(self._lines, ("stop", "{} stops"))
        self.update()
