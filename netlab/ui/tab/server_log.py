"""What the server says: time, a glyph for the level, text. Bounded; what was skipped is counted in its place."""

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
from netlab.ui.widgets.formatting import Presentation
from netlab.ui.widgets.scrollback import Line
from netlab.ui.widgets.searched_scrollback import SearchedRing

_LEVELS = {"info": (" ", ""), "warning": ("!", "ring--warning"), "error": ("✗", "ring--error")}


class ServerLog(SearchedRing):
    """The server's log, newest last. Lines that name ``about`` have a mark; warnings that came unseen are counted."""

    @dataclass
    class Warned(Message):
        """So many warnings came while the log was not on the screen."""

        unseen: int

    EMPTY = "what the server says will be here"

    def __init__(self, presentation: Presentation, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._presentation = presentation
        self._read = 0
        self._unseen = 0
        self._about: re.Pattern[str] | None = None

    def tell_about(self, client: Endpoint | None) -> None:
        """Mark the lines that name this client, or none."""
        about = re.compile(re.escape(self._presentation.text(str(client))) + r"\b") if client is not None else None
        if about != self._about:
            self._about = about
            self.refresh()

    def mark(self, row: int) -> str:
        """A line about the client that is looked at."""
        text = "".join(part[1] for part in self._rows[row])
        return "▸" if self._about is not None and self._about.search(text) else ""

    def grow(self, log: BoundedLog[LogLine], at_most: int) -> None:
        """Draw the newest ``at_most`` of what is new, after a line that counts what was skipped before them."""
        new, position = log.since(self._read)
        missed = position - len(new) - self._read
        self._read = position
        self._count_unseen(sum(line.level != "info" for line in new))
        missed += max(0, len(new) - at_most)
        told: list[Line] = [(("ring--note", f"# {missed:,} lines skipped"),)] if missed else []
        self.extend([*told, *(self._drawn(line) for line in new[-at_most:])])

    def _count_unseen(self, warnings: int) -> None:
        if warnings and not all(node.display for node in (self, self.parent) if isinstance(node, Widget)):
            self._unseen += warnings
            self.post_message(self.Warned(self._unseen))

    def on_show(self) -> None:
        """All of it is seen now."""
        self.all_seen()

    def all_seen(self) -> None:
        """No warning is new any more."""
        if self._unseen:
            self._unseen = 0
            self.post_message(self.Warned(0))

    def _drawn(self, line: LogLine) -> Line:
        glyph, style = _LEVELS.get(line.level, ("?", ""))
        clock = self._presentation.clock(line.time_ns)
        return (("ring--faint", clock), (style, f" {glyph} "), (style, self._presentation.text(line.text)))


class LogPane(Vertical):
    """The log, and the question what to find in it."""

    def __init__(self, log: ServerLog) -> None:
        super().__init__(id="log")
        self._log = log
        log.border_title = "server log"

    def compose(self) -> ComposeResult:
        """The lines, and the question below."""
        yield self._log
        yield self._log.find_bar
