"""What the server says: time, a glyph for the level, text. Bounded; what was skipped is counted in its place."""

from __future__ import annotations

from netlab.lab.state import LogLine
from netlab.lab.tail import Tail
from netlab.ui.presentation import Presentation
from netlab.ui.ring import Line, Ring

_LEVELS = {"info": (" ", ""), "warning": ("!", "ring--warning"), "error": ("✗", "ring--error")}


class ServerLog(Ring):
    """The server's log, newest last."""

    def __init__(self, presentation: Presentation, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._presentation = presentation
        self._read = 0

    def grow(self, log: Tail[LogLine], at_most: int) -> None:
        """Draw the newest ``at_most`` of what is new, after a line that counts what was skipped before them."""
        new, position = log.since(self._read)
        missed = position - len(new) - self._read
        self._read = position
        missed += max(0, len(new) - at_most)
        told: list[Line] = [(("ring--note", f"# {missed:,} lines skipped"),)] if missed else []
        self.extend([*told, *(self._drawn(line) for line in new[-at_most:])])

    def _drawn(self, line: LogLine) -> Line:
        glyph, style = _LEVELS.get(line.level, ("?", ""))
        clock = self._presentation.clock(line.time_ns)
        return (("ring--faint", clock), (style, f" {glyph} {self._presentation.text(line.text)}"))
