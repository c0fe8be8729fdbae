"""The last filter before the terminal: whatever a widget draws, no control or invisible character gets through.

`netlab.dissect.text.safe` escapes everything that is stored. This filter follows every widget, including Textual's own,
which let ESC, C1 and bidi marks pass.
"""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from netlab.dissect.text import safe


class ControlFilter(LineFilter):
    """Replaces every unprintable character in every drawn line."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments without control characters."""
        return [
            segment if segment.control or segment.text.isprintable() else Segment(safe(segment.text), segment.style)
            for segment in segments
        ]


CONTROL_FILTER = ControlFilter()
"""The only instance. Textual caches a filtered line by the filter object: with a new object each time, every repaint
would filter every line again and take ten times as long."""
