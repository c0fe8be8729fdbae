"""The last gate before the terminal: whatever a widget drew, no control or hidden character leaves.

`netlab.dissect.text.safe` stands before everything that is stored; this filter stands behind every widget, also those
of Textual, which let ESC, C1 and bidi marks pass.
"""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from netlab.dissect.text import safe


class Guard(LineFilter):
    """Replaces every unprintable character of every line drawn."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments with nothing in them that could steer a terminal."""
        return [
            segment if segment.control or segment.text.isprintable() else Segment(safe(segment.text), segment.style)
            for segment in segments
        ]


GUARD = Guard()
"""The one guard. Textual remembers what a filter made of a line by the filter itself: with a new one each time, every
line of the screen was filtered and cut anew at every repaint, which took ten times as long."""
