"""The server's log: time, a glyph for the level, text. Bounded; skipped lines are counted in their place."""

from __future__ import annotations

import re
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget

from netlab.capture.model import Endpoint
from netlab.lab.bounded_log import BoundedLog
from netlab.lab.state import LogLine
from netlab.ui.widgets.formatting import Formatting
from netlab.ui.widgets.scrollback import Line
from netlab.ui.widgets.searched_scrollback import SearchedScrollback

_LEVELS = {"info": (" ", ""), "warning": ("!", "scrollback--warning"), "error": ("✗", "scrollback--error")}


class ServerLog(SearchedScrollback):
    """The server's log, newest last. It marks the lines about one client, and counts unread warnings."""

    @dataclass
    class Warned(Message):
        """The number of unread warnings has changed."""

        unseen: int

    TITLE = "server log"
    EMPTY = "The server's messages appear here."

    def __init__(
        self, formatting: Formatting, *, title: str = TITLE, empty: str = EMPTY, id: str | None = None
    ) -> None:
        """``empty`` stands there before the first line."""
        super().__init__(id=id)
        self.border_title = title
        self.EMPTY = empty
        self._formatting = formatting
        self._read = 0
        self._unseen = 0
        self._about: re.Pattern[str] | None = None

    def mark_client(self, client: Endpoint | None) -> None:
        """Mark the lines that name this client, or none."""
        about = re.compile(re.escape(self._formatting.text(str(client))) + r"\b") if client is not None else None
        if about != self._about:
            self._about = about
            self.refresh()

    def mark(self, row: int) -> str:
        """The sign before the lines about the marked client."""
        text = "".join(part[1] for part in self._rows[row])
        return "▸" if self._about is not None and self._about.search(text) else ""

    def grow(self, log: BoundedLog[LogLine], at_most: int) -> None:
        """Draw the newest ``at_most`` new lines, after a line that counts those skipped before them."""
        new, position = log.since(self._read)
        missed = position - len(new) - self._read
        self._read = position
        self._count_unseen(sum(line.level != "info" for line in new))
        missed += max(0, len(new) - at_most)
        skipped: list[Line] = [(("scrollback--note", f"# {missed:,} lines skipped"),)] if missed else []
        self.extend([*skipped, *(self._drawn(line) for line in new[-at_most:])])

    def _count_unseen(self, warnings: int) -> None:
        if warnings and not all(node.display for node in (self, self.parent) if isinstance(node, Widget)):
            self._unseen += warnings
            self.post_message(self.Warned(self._unseen))

    def on_show(self) -> None:
        """The log is visible: all warnings are read."""
        self.all_seen()

    def all_seen(self) -> None:
        """Mark all warnings as read."""
        if self._unseen:
            self._unseen = 0
            self.post_message(self.Warned(0))

    def _drawn(self, line: LogLine) -> Line:
        glyph, style = _LEVELS.get(line.level, ("?", ""))
        clock = self._formatting.clock(line.time_ns)
        return (("scrollback--faint", clock), (style, f" {glyph} "), (style, self._formatting.text(line.text)))


class LogPane(Vertical):
    """The log, and the bar to find text in it."""

    def __init__(self, log: ServerLog) -> None:
        super().__init__(id="log")
        self._log = log

    def compose(self) -> ComposeResult:
        """The lines, and the bar below them."""
        yield self._log
        yield self._log.find_bar
