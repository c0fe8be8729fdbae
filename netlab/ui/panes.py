"""The panes of a tab and how they share the screen: all at once where there is room, else console and one other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

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
from netlab.ui.server_log import LogPane, ServerLog
from netlab.ui.wire_list import WireList

if TYPE_CHECKING:
    from netlab.ui.reader import Reader

ORDER = ("console", "wire", "bytes", "log")
"""The panes in the order in which tab visits them."""

EXTRAS = ("lanes", "experiment")
"""Panes that come and go, between wire and bytes. The experiment has its place in common with the bytes."""

READING = ("console", "reader", "log")
"""The panes while something is read in the place of wire and bytes."""


class PaneBar(Static):
    """Where only one pane has room beside the console: which one it is, and how to see another."""

    DEFAULT_CSS = """
    PaneBar {
        height: 1; display: none; padding: 0 1; background: $panel; text-wrap: nowrap; text-overflow: ellipsis;
        link-style: none; link-color: $foreground;
    }
    """

    def tell(self, order: Sequence[str], beside: str, warned: int) -> None:
        """Mark the pane that is shown, and how many warnings wait in the log."""
        marks = {"log": f" !{warned}"} if warned else {}
        names = [self._named(name, name == beside, marks.get(name, "")) for name in order[1:]]
        self.update(Content(" ").join([*names, Content("  tab: next pane   \\: the whole tab")]))

    def _named(self, name: str, marked: bool, more: str) -> Content:
        shown = Content.styled(f"▸{name}", "bold reverse") if marked else Content(f" {name}")
        shown += Content.styled(more, "bold $text-warning")
        return shown.stylize(Style.from_meta({"@click": f"app.bench('show_pane', '{name}')"}))


class Panes(Horizontal):
    """Console and server log on the left, wire and bytes on the right; narrow: console, and below it one other."""

    SCOPED_CSS = False  # the width's class stands on the screen
    DEFAULT_CSS = """
    Panes { height: 1fr; }
    Panes Console, Panes ServerLog, Panes Reader, Panes SegmentList, Panes ByteView, Panes FieldTree, Panes AtCursor,
    Panes ExperimentPane, Panes LanesPane { border-top: solid $foreground 30%; }
    Panes Console:focus-within, Panes ServerLog:focus, Panes Reader:focus, Panes SegmentList:focus,
    Panes ByteView:focus, Panes FieldTree:focus, Panes ExperimentPane:focus, Panes LanesPane:focus {
        border-top: heavy $accent; border-title-style: bold;
    }
    Panes #right { border-left: solid $foreground 30%; }
    Panes #left { width: 3fr; }
    Panes #right { width: 5fr; }
    Panes #console { height: 2fr; }
    Panes #log { height: 1fr; }
    Panes ServerLog { border-title-color: $foreground; }
    Panes #wire { height: 2fr; }
    Panes #bytes, Panes #experiment { height: 3fr; }
    Panes #lanes { height: 2fr; }
    Panes.-with-experiment #bytes { display: none; }
    Panes.-with-experiment.-lower-bytes { #bytes { display: block; } #experiment { display: none; } }

    .-narrow Panes {
        layout: vertical;
        PaneBar { display: block; }
        #left { width: 1fr; height: 1fr; }
        #right { width: 1fr; height: 1fr; border-left: none; }
        #console, #log, #wire, #bytes, #lanes, #experiment { height: 1fr; }
        #log { display: none; }
        &.-wire { #bytes, #lanes, #experiment { display: none; } }
        &.-bytes { #wire, #lanes, #experiment { display: none; } }
        &.-lanes { #wire, #bytes, #experiment { display: none; } #right { height: 2fr; } }
        &.-experiment { #wire, #bytes, #lanes { display: none; } #right { height: 2fr; } }
        &.-log { #right { display: none; } #log { display: block; } }
    }
    .-narrow Panes.-log PaneBar { display: none; }

    Panes.-reading {
        #left { width: 1fr; }
        #right { width: 2fr; }
        #wire, #bytes, #lanes, #experiment { display: none; }
    }
    .-narrow Panes.-reading {
        #left { width: 1fr; }
        #right { width: 1fr; height: 2fr; }
    }

    Panes.-whole {
        PaneBar { display: none; }
        &.-console { #right, #log { display: none; } #left { width: 1fr; } }
        &.-log { #right, #console { display: none; } #left { width: 1fr; } }
        &.-wire { #left, #bytes, #lanes, #experiment { display: none; } #right { border-left: none; } }
        &.-bytes { #left, #wire, #lanes, #experiment { display: none; } #right { border-left: none; } }
        &.-lanes { #left, #wire, #bytes, #experiment { display: none; } #right { border-left: none; } }
        &.-experiment { #left, #wire, #bytes, #lanes { display: none; } #right { border-left: none; } }
        &.-reader { #left { display: none; } #right { border-left: none; } }
    }
    """

    beside = reactive("wire")
    """The pane that is shown where only one has room beside the console."""

    whole: reactive[str] = reactive("")
    """The pane that has the whole tab, if one has."""

    _ENTRIES: ClassVar[dict[str, str]] = {"console": "#prompt"}

    def __init__(self, console: Console, wire: WireList, inspector: Inspector, log: LogPane) -> None:
        super().__init__(id="panes", classes="-wire")  # as `_arrange` has it: each class that comes styles all anew
        self._left, self._right = (console, log), (wire, inspector)
        self.reader: Reader | None = None
        self._extras: dict[str, Widget] = {}
        self._warned = 0

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
        if self.reader is not None:
            return READING
        return (*ORDER[:2], *(name for name in EXTRAS if name in self._extras), *ORDER[2:])

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
        for name in {*ORDER, *READING, *EXTRAS}:
            self.set_class(name == shown, f"-{name}")
        if shown in ("bytes", "experiment"):
            self.set_class(shown == "bytes", "-lower-bytes")
        self.set_class(bool(self.whole), "-whole")
        if shown == "log":
            self.query_one(ServerLog).all_seen()
        self.query_one(PaneBar).tell(self.order, self.beside, self._warned)

    def on_server_log_warned(self, event: ServerLog.Warned) -> None:
        """Say that the log has something to tell, or no longer."""
        event.stop()
        self._warned = event.unseen
        self.query_one(PaneBar).tell(self.order, self.beside, self._warned)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """What has the focus is shown."""
        pane = self.pane_of(event.widget)
        if pane not in ("", "console"):
            self.beside = pane

    def pane_of(self, widget: Widget | None) -> str:
        """The name of the pane that a widget is in, or nothing."""
        if widget is None:
            return ""
        names = (*ORDER, *READING, *EXTRAS)
        return next((node.id for node in widget.ancestors_with_self if node.id in names), "") or ""

    def go(self, name: str) -> None:
        """Show a pane and put the focus into it."""
        if self.whole:
            self.whole = name
        if name != "console":
            self.beside = name
        waits = name == "wire" and self.query_one(WireList).held.held
        entry = self.query_one("#held" if waits else self._ENTRIES.get(name, f"#{name}"))
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

    # Panes that come and go

    def has(self, name: str) -> bool:
        """Whether a pane is there now."""
        return name in self._extras

    def add(self, name: str, pane: Widget) -> None:
        """Show one more pane, and go there."""
        self._extras[name] = pane
        self.add_class(f"-with-{name}")
        self.call_later(self._mount, name, pane)

    async def _mount(self, name: str, pane: Widget) -> None:
        after = "experiment" if name == "lanes" and self.has("experiment") else "bytes"
        await self.query_one("#right").mount(pane, before=f"#{after}")
        self.go(name)

    def remove_pane(self, name: str) -> None:
        """Put it away, and go to the wire."""
        self._extras.pop(name).remove()
        self.remove_class(f"-with-{name}")
        self.whole = ""
        self.go("wire")

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
            self.go("experiment" if self.has("experiment") else "wire")

    def toggle_whole(self) -> None:
        """Give the focused pane the whole tab, or give it back."""
        self.whole = "" if self.whole else (self.pane_of(self.screen.focused) or "console")
