"""The swim lanes of a lab, live: one row per client, connecting, in the accept queue, being served, closed.

It updates at most ten times a second, and repaints only if a row has changed. When the model changes, earlier clients
stay above or beside the new ones, on the same axis. An experiment is a run with an axis of its own. The newest clients
stay in view until the user scrolls up.
"""

from __future__ import annotations

import time
from itertools import groupby
from textwrap import wrap
from typing import ClassVar

from rich.segment import Segment as Cells
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from netlab.capture.model import Endpoint
from netlab.lab.experiments.swim_lanes import LanePhase
from netlab.lab.experiments.swim_lanes_text import GLYPHS, MOST, SIDE_BY_SIDE
from netlab.ui.keys.hints import follow_keys, hint
from netlab.ui.lanes.lanes_history import LanesHistory
from netlab.ui.lanes.lanes_picture import CLOSEST, BoardGroup, LanesSheet, Sheet, Window
from netlab.ui.widgets.closing import PaneClosed
from netlab.ui.widgets.formatting import Formatting

PERIOD = 0.1
"""The shortest time between two updates, in seconds."""

SHARE = 10
"""After an update, this many times its duration passes before the next, so that updates take a tenth of the time."""

_STYLES = {GLYPHS[phase]: f"lanes--{phase.name.lower()}" for phase in LanePhase}
_EMPTY = "No client yet. Type into the console, or connect any other client."


class LanesPane(ScrollView, can_focus=True):
    """Swim lanes that can be frozen, zoomed and scrolled."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {*_STYLES.values(), "lanes--foot"}
    DEFAULT_CSS = """
    LanesPane {
        background: $background; border-title-color: $foreground; overflow-x: hidden; scrollbar-size-vertical: 1;
        padding: 0 1;
        .lanes--connecting { color: $foreground; }
        .lanes--queued { color: $text-warning; }
        .lanes--unsure { color: $text-warning; }
        .lanes--served { color: $text-success; }
        .lanes--closed { color: $foreground; text-style: bold; }
        .lanes--foot { color: $text-muted; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "freeze", "freeze", id="lanes.freeze", tooltip="Freeze the picture, or continue"),
        Binding(
            "equals_sign,plus",
            "zoom(2)",
            "zoom in",
            id="lanes.zoom_in",
            tooltip="Zoom in to twice as many columns per second",
        ),
        Binding("minus", "zoom(-2)", "out", id="lanes.zoom_out", tooltip="Zoom out to half as many columns per second"),
        Binding("left,h", "pan(-1)", "earlier", show=False, id="lanes.earlier"),
        Binding("right", "pan(1)", "later", show=False, id="lanes.later"),
        Binding(
            "end", "whole", "whole", show=False, id="lanes.whole", tooltip="Show the whole axis and follow its end"
        ),
        Binding("up,k", "scroll_up", "up", show=False, id="lanes.up"),
        Binding("down,j", "scroll_down", "down", show=False, id="lanes.down"),
        Binding("escape", "close", "close", id="lanes.close", tooltip="Close the swim lanes"),
    ]

    def __init__(self, history: LanesHistory, formatting: Formatting) -> None:
        super().__init__(id="lanes")
        self._history, self._formatting = history, formatting
        self._runs: tuple[BoardGroup, ...] = (BoardGroup("", ()),)
        self._sheet = Sheet.of(self._runs, 80, Window(), beside=False)
        self._rows: list[tuple[str, LanesSheet | None]] = []
        self._foot: list[str] = []
        self._next = 0.0
        self._follows = True
        self.frozen = False

    # What is shown

    def look(self) -> None:
        """Update the lanes, if it is time to."""
        begun = time.monotonic()
        if self.frozen or begun < self._next:
            return
        self._runs = self._history.read(time.time_ns())
        self._lay_out()
        self._next = begun + max(PERIOD, (time.monotonic() - begun) * SHARE)

    @property
    def picture(self) -> LanesSheet:
        """The picture of the newest run as it is now."""
        return self._sheet.newest

    @property
    def clients(self) -> frozenset[Endpoint]:
        """The connected clients of the newest rows: `netlab.lab.experiments.swim_lanes_text.MOST` at most."""
        lanes = [lane for run in self._runs for board in run.boards for lane in board.lanes if lane.closed is None]
        return frozenset(lane.client for lane in lanes[-MOST:])

    @property
    def text(self) -> str:
        """All of it as text."""
        return "\n".join([*(text for text, _ in self._rows), *self._foot])

    def _lay_out(self, window: Window | None = None) -> None:
        """Lay out the rows; repaint only if they have changed."""
        show = self._formatting.board
        shown = [BoardGroup(run.name, tuple(map(show, run.boards))) for run in self._runs]
        width = self.scrollable_content_region.width or 80
        sheet = Sheet.of(shown, width, window or self.picture.window, self.app.size.width >= SIDE_BY_SIDE)
        before = self.text
        self._sheet, self._rows = sheet, sheet.rows()
        self._foot = sheet.newest.foot() if any(board.lanes for board in shown[-1].boards) else wrap(_EMPTY, width)
        self._update_title(sheet.newest)
        if self.text != before:
            self.virtual_size = Size(width, len(self._rows) + len(self._foot))
            self.refresh()
            self.call_after_refresh(self._follow)  # only then is the scrollbar's room known

    def _follow(self) -> None:
        """Scroll to the newest rows, unless the user looks at others."""
        if self._follows:
            self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Follow the end while the view is at the end."""
        super().watch_scroll_y(old_value, new_value)
        self._follows = new_value >= self.max_scroll_y

    def _update_title(self, picture: LanesSheet) -> None:
        words = ["swim lanes", "frozen" if self.frozen else "live"]
        words += [f"×{picture.window.zoom}"] if picture.window.zoom > 1 else []
        frozen = [("freeze", "continues")] if self.frozen else []
        zoomed = [("pan(-1)", "{}"), ("pan(1)", "{} scroll")] if picture.window.zoom > 1 else []
        title = " ── ".join(filter(None, [*words, hint(self, *frozen, *zoomed)]))
        if title != self.border_title:
            self.border_title = title

    def on_mount(self) -> None:
        """Name keys in the title only while they work."""
        follow_keys(self, lambda: self._update_title(self.picture))

    def on_resize(self) -> None:
        """Fit the width."""
        self._lay_out()
        self.refresh()
        self.call_after_refresh(self._follow)

    def render_line(self, y: int) -> Strip:
        """Clients scroll; the axis and the legend stay at the bottom."""
        width, height = self.scrollable_content_region.size
        foot = max(height - len(self._foot), 0) if len(self._rows) + len(self._foot) > height else len(self._rows)
        if y >= foot:
            line, here = y - foot, self._foot_here(foot)
            text = here[line] if line < len(here) else ""
            style = self.get_component_rich_style("lanes--foot")
            return Strip([Cells(text, style)]).adjust_cell_length(width, self.rich_style)
        row = self.scroll_offset.y + y
        text, picture = self._rows[row] if row < len(self._rows) else ("", None)
        if picture is None:
            cells = [Cells(text, self.get_component_rich_style("lanes--foot"))]
            return Strip(cells).adjust_cell_length(width, self.rich_style)
        return Strip(self._coloured(text, picture)).adjust_cell_length(width, self.rich_style)

    def _foot_here(self, height: int) -> list[str]:
        """The axis of the last run in view, and the legend."""
        above = reversed(self._rows[: self.scroll_offset.y + height])
        picture = next((picture for _, picture in above if picture is not None), self.picture)
        return self._foot if picture is self.picture else picture.foot()

    def _coloured(self, text: str, picture: LanesSheet) -> list[Cells]:
        """Colour the glyphs, but not the clients' names."""
        pieces = []
        for number, part in enumerate(picture.layout.split(text)):
            styles: dict[str, str] = _STYLES if number % 2 else {}
            for style, run in groupby(part, key=styles.get):
                pieces.append(Cells("".join(run), self.get_component_rich_style(style) if style else self.rich_style))
        return pieces

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Zooming has limits."""
        if action == "zoom":
            zoom = self.picture.window.zoom
            return (zoom < CLOSEST if parameters[0] == 2 else zoom > 1) or None
        return True

    def action_freeze(self) -> None:
        """Freeze the picture, or continue."""
        self.frozen = not self.frozen
        self._update_title(self.picture)
        self.look()

    def action_zoom(self, factor: int) -> None:
        """Zoom in (2) or out (-2)."""
        zoom = self.picture.window.zoom
        self._lay_out(self.picture.zoomed(zoom * 2 if factor > 0 else zoom // 2))
        self.refresh_bindings()

    def action_pan(self, way: int) -> None:
        """Scroll an eighth of the view to the left (-1) or right (1)."""
        self._lay_out(self.picture.moved(way * max(self.picture.columns // 8, 1)))

    def action_whole(self) -> None:
        """Show the whole axis and follow its end."""
        self._follows = True
        self._lay_out(Window())
        self._follow()

    def action_close(self) -> None:
        """Close the swim lanes."""
        self.post_message(PaneClosed(self))
