"""The panes of a tab and how they share the screen: all at once where there is room, else console and one other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.reactive import reactive
from textual.style import Style
from textual.widget import Widget
from textual.widgets import Static

from netlab.ui.console import Console
from netlab.ui.inspector import Inspector
from netlab.ui.reader import Reader
from netlab.ui.server_log import ServerLog
from netlab.ui.wire_list import WireList

ORDER = ("console", "wire", "bytes", "log")
"""The panes in the order in which tab visits them."""

READING = ("console", "reader", "log")
"""The panes while something is read in the place of wire and bytes."""


class PaneBar(Static):
    """Where only one pane has room beside the console: which one it is, and how to see another."""

    DEFAULT_CSS = """
    PaneBar {
        height: 1; display: none; padding: 0 1; background: $panel;
        link-style: none; link-color: $foreground;
    }
    """

    def tell(self, order: Sequence[str], beside: str) -> None:
        """Mark the pane that is shown."""
        names = [self._named(name, name == beside) for name in order[1:]]
        self.update(Content(" ").join([*names, Content("  tab: next pane   \\: the whole tab")]))

    def _named(self, name: str, marked: bool) -> Content:
        shown = Content.styled(f"▸{name}", "bold reverse") if marked else Content(f" {name}")
        return shown.stylize(Style.from_meta({"@click": f"app.bench('show_pane', '{name}')"}))


class Panes(Horizontal):
    """Console and server log on the left, wire and bytes on the right; narrow: console, and below it one other."""

    SCOPED_CSS = False  # the width's class stands on the screen
    DEFAULT_CSS = """
    Panes { height: 1fr; }
    Panes Console, Panes ServerLog, Panes Reader, Panes SegmentList, Panes ByteView, Panes FieldTree, Panes AtCursor {
        border-top: solid $foreground 30%;
    }
    Panes Console:focus-within, Panes ServerLog:focus, Panes Reader:focus, Panes SegmentList:focus,
    Panes ByteView:focus, Panes FieldTree:focus { border-top: heavy $accent; border-title-style: bold; }
    Panes #right { border-left: solid $foreground 30%; }
    Panes #left { width: 2fr; }
    Panes #right { width: 3fr; }
    Panes #console { height: 2fr; }
    Panes #log { height: 1fr; padding: 0 1; border-title-color: $foreground; }
    Panes #wire { height: 2fr; }
    Panes #bytes { height: 3fr; }

    .-narrow Panes {
        layout: vertical;
        PaneBar { display: block; }
        #left { width: 1fr; height: 1fr; }
        #right { width: 1fr; height: 1fr; border-left: none; }
        #console, #log, #wire, #bytes { height: 1fr; }
        #log { display: none; }
        &.-wire #bytes { display: none; }
        &.-bytes #wire { display: none; }
        &.-log { #right { display: none; } #log { display: block; } }
    }
    .-narrow Panes.-log PaneBar { display: none; }

    Panes.-reading { #wire, #bytes { display: none; } }

    Panes.-whole {
        PaneBar { display: none; }
        &.-console { #right, #log { display: none; } #left { width: 1fr; } }
        &.-log { #right, #console { display: none; } #left { width: 1fr; } }
        &.-wire { #left, #bytes { display: none; } #right { border-left: none; } }
        &.-bytes { #left, #wire { display: none; } #right { border-left: none; } }
        &.-reader { #left { display: none; } #right { border-left: none; } }
    }
    """

    beside = reactive("wire")
    """The pane that is shown where only one has room beside the console."""

    whole: reactive[str] = reactive("")
    """The pane that has the whole tab, if one has."""

    _ENTRIES: ClassVar[dict[str, str]] = {"console": "#prompt"}

    def __init__(self, console: Console, wire: WireList, inspector: Inspector, log: ServerLog) -> None:
        super().__init__(id="panes")
        self._left, self._right = (console, log), (wire, inspector)
        self.reader: Reader | None = None
        log.border_title = "server log"

    def compose(self) -> ComposeResult:
        """The two columns."""
        with Vertical(id="left"):
            yield from self._left
        yield PaneBar()
        with Vertical(id="right"):
            yield from self._right

    @property
    def order(self) -> tuple[str, ...]:
        """The panes that there are now."""
        return READING if self.reader is not None else ORDER

    def on_mount(self) -> None:
        """Show the first choice."""
        self._arrange()

    def watch_beside(self) -> None:
        """Show it."""
        self._arrange()

    def watch_whole(self) -> None:
        """Show it alone, or all again."""
        self._arrange()

    def _arrange(self) -> None:
        if not self.query(PaneBar):
            return
        shown = self.whole or self.beside
        for name in {*ORDER, *READING}:
            self.set_class(name == shown, f"-{name}")
        self.set_class(bool(self.whole), "-whole")
        self.query_one(PaneBar).tell(self.order, self.beside)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """What has the focus is shown."""
        pane = self.pane_of(event.widget)
        if pane not in ("", "console"):
            self.beside = pane

    def pane_of(self, widget: Widget | None) -> str:
        """The name of the pane that a widget is in, or nothing."""
        if widget is None:
            return ""
        return next((node.id for node in widget.ancestors_with_self if node.id in (*ORDER, *READING)), "") or ""

    def go(self, name: str) -> None:
        """Show a pane and put the focus into it."""
        if self.whole:
            self.whole = name
        if name != "console":
            self.beside = name
        entry = self.query_one(self._ENTRIES.get(name, f"#{name}"))
        self.call_after_refresh(self._focus_within, entry)

    def _focus_within(self, widget: Widget) -> None:
        if widget.focusable:
            widget.focus()
            return
        inside = [other for other in self.screen.focus_chain if widget in other.ancestors]
        if inside:
            inside[0].focus()

    def step(self, direction: int) -> None:
        """To the next (1) or previous (-1) widget of the focused pane, then to the pane beside it."""
        focused = self.screen.focused
        here = self.pane_of(focused)
        if here and focused is not None:
            inside = [widget for widget in self.screen.focus_chain if self.pane_of(widget) == here]
            index = inside.index(focused) + direction if focused in inside else -1
            if 0 <= index < len(inside):
                inside[index].focus()
                return
        order = self.order
        index = order.index(here) if here in order else -direction
        self.go(order[(index + direction) % len(order)])

    def read(self, reader: Reader) -> None:
        """Show something to read in the place of wire and bytes."""
        before, self.reader = self.reader, reader
        self.call_later(self._swap, before, reader)

    async def _swap(self, before: Reader | None, reader: Reader) -> None:
        if before is not None:
            await before.remove()  # before the other comes: both have the same id
        await self.query_one("#right").mount(reader)
        self.add_class("-reading")
        self.whole, self.beside = "", "reader"
        reader.focus()

    def put_away(self) -> None:
        """Show wire and bytes again."""
        if self.reader is not None:
            self.reader.remove()
            self.reader = None
            self.remove_class("-reading")
            self.whole = ""
            self.go("wire")

    def toggle_whole(self) -> None:
        """Give the focused pane the whole tab, or give it back."""
        self.whole = "" if self.whole else (self.pane_of(self.screen.focused) or "console")
