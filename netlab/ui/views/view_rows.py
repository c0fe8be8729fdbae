"""The rows of the views pane: they scroll, keep what is chosen in view, and say what was clicked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from netlab.ui.views.rows import ChosenView, ViewRow
from netlab.ui.widgets.scrolling import set_content_size


class ViewRows(ScrollView, can_focus=True):
    """Plain lines; those of the chosen subject are marked."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "views--heading", "views--buffer", "views--view", "views--gone", "views--note", "views--chosen",
    }  # fmt: skip
    DEFAULT_CSS = """
    ViewRows {
        background: $background; border-top: solid $foreground 30%; border-title-color: $foreground;
        overflow-x: hidden; scrollbar-size-vertical: 1; height: 1fr;
        &:focus { border-top: heavy $accent; border-title-style: bold; }
        .views--heading { color: $text-muted; }
        .views--buffer { color: $text-primary; text-style: bold; }
        .views--view { color: $foreground; }
        .views--gone { color: $text-muted; }
        .views--note { color: $text-muted; }
        .views--chosen { background: $primary-muted; text-style: bold; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "up", show=False, id="views.up"),
        Binding("down,j", "move(1)", "down", show=False, id="views.down"),
    ]

    @dataclass
    class Moved(Message):
        """The user goes up (-1) or down (1)."""

        way: int

    @dataclass
    class Clicked(Message):
        """A row was clicked."""

        subject: ChosenView

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[ViewRow, ...] = ()
        self._chosen: ChosenView | None = None

    @property
    def text(self) -> str:
        """All rows as text."""
        return "\n".join(row.text for row in self._rows)

    def show(self, rows: Sequence[ViewRow], chosen: ChosenView | None) -> None:
        """Show these rows; paint only what differs."""
        before, self._rows = self._rows, tuple(rows)
        moved, self._chosen = chosen != self._chosen, chosen
        if before == self._rows and not moved:
            return
        set_content_size(self, Size(self.scrollable_content_region.width, len(self._rows)))
        self.refresh()
        if moved:
            self.call_after_refresh(self._into_view)

    def _into_view(self) -> None:
        lines = [at for at, row in enumerate(self._rows) if self._chosen is not None and row.subject == self._chosen]
        height = self.scrollable_content_region.height
        if lines and height:
            top = self.scroll_offset.y
            wanted = min(max(top, lines[-1] - height + 1), lines[0])
            wanted = 0 if lines[0] < height and lines[-1] < height else wanted
            if wanted != top:
                self.scroll_to(y=wanted, animate=False)

    def on_resize(self) -> None:
        """Keep what is chosen in view."""
        self._into_view()

    def action_move(self, way: int) -> None:
        """Say it: what is chosen moves, not the rows."""
        self.post_message(self.Moved(way))

    def on_click(self, event: events.Click) -> None:
        """Say which row it was."""
        place = event.get_content_offset(self)
        at = place.y + self.scroll_offset.y if place is not None else len(self._rows)
        if at < len(self._rows) and (subject := self._rows[at].subject) is not None:
            self.post_message(self.Clicked(subject))

    def render_line(self, y: int) -> Strip:
        """One row."""
        width, at = self.scrollable_content_region.width, self.scroll_offset.y + y
        if at >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        row = self._rows[at]
        style = self.get_component_rich_style(f"views--{row.style}")
        if row.subject is not None and row.subject == self._chosen:
            style += self.get_component_rich_style("views--chosen", partial=True)
        return Strip([Segment(row.text.ljust(width), style)]).adjust_cell_length(width, self.rich_style)
