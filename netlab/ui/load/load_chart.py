"""Draws the rows of a load's page, coloured by the names of their styles. It scrolls where there is little room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment as Cells
from rich.style import Style
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from netlab.ui.load.sheet import Row

_COLOURS = 6
"""Colours of runs that are laid over each other; their letters do without."""
_STYLES = (
    "rate", "queue", "threads", "procs", "unread", "waiting", "p50", "p90", "p99", "maximum", "histogram", "words",
    "name", "chosen", "warning", "error", *(f"over{number}" for number in range(_COLOURS)),
)  # fmt: skip


class LoadChart(ScrollView, can_focus=True):
    """The rows of a load."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"load--{style}" for style in _STYLES}
    DEFAULT_CSS = """
    LoadChart {
        height: 1fr; background: $background; overflow-x: hidden; scrollbar-size-vertical: 1;
        .load--rate { color: $primary; }
        .load--queue { color: $text-warning; }
        .load--threads, .load--procs { color: $foreground 60%; }
        .load--unread { color: $text-primary; }
        .load--waiting { color: $text-error; }
        .load--p50 { color: $text-success; }
        .load--p90 { color: $text-success; }
        .load--p99 { color: $text-warning; }
        .load--maximum { color: $text-error; }
        .load--histogram { color: $text-success; }
        .load--words { color: $text-muted; }
        .load--name, .load--chosen { color: $foreground; text-style: bold; }
        .load--warning { color: $text-warning; }
        .load--error { color: $text-error; }
        .load--over0 { color: $text-success; text-style: bold; }
        .load--over1 { color: $text-warning; text-style: bold; }
        .load--over2 { color: $text-primary; text-style: bold; }
        .load--over3 { color: $text-error; text-style: bold; }
        .load--over4 { color: $text-accent; text-style: bold; }
        .load--over5 { color: $foreground; text-style: bold; }
    }
    """

    def __init__(self) -> None:
        super().__init__(id="load-chart")
        self._rows: Sequence[Row] = ()

    @property
    def text(self) -> str:
        """The rows without colour."""
        return "\n".join("".join(text for text, _ in row).rstrip() for row in self._rows)

    @property
    def room(self) -> tuple[int, int]:
        """Columns and rows for a page that does not scroll."""
        return max(self.size.width - 1, 1), self.size.height  # a scrollbar may come

    def show(self, rows: Sequence[Row]) -> None:
        """Show these rows; repaint only if they have changed."""
        if rows == self._rows:
            return
        self._rows = rows
        self.virtual_size = Size(self.size.width, len(rows))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One row."""
        row = self.scroll_offset.y + y
        pieces = self._rows[row] if row < len(self._rows) else ()
        cells = [Cells(text, self._style(name)) for text, name in pieces]
        return Strip(cells).adjust_cell_length(self.size.width, self.rich_style)

    def _style(self, name: str) -> Style:
        if len(name) == 1:
            name = f"over{(ord(name) - ord('A')) % _COLOURS}"
        return self.get_component_rich_style(f"load--{name}") if name else self.rich_style
