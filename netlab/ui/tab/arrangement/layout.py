"""The panes of a tab and how they share the screen: all at once if they fit, else the console and one other."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.reactive import reactive
from textual.widget import Widget

from netlab.ui.bytes.inspector import Inspector
from netlab.ui.console.console_pane import Console
from netlab.ui.keys.jump import JumpTarget
from netlab.ui.keys.type_ahead import Step, begin_step
from netlab.ui.tab.arrangement.layout_rules import RULES
from netlab.ui.tab.arrangement.pane_bar import PaneBar
from netlab.ui.tab.arrangement.slots import Slot
from netlab.ui.tab.server_log import LogPane, ServerLog
from netlab.ui.wire.wire_list import WireList

if TYPE_CHECKING:
    from netlab.ui.experiments.experiment_pane import ExperimentPane
    from netlab.ui.lanes.lanes_pane import LanesPane
    from netlab.ui.load.load_pane import LoadPane
    from netlab.ui.picture.picture_pane import PicturePane
    from netlab.ui.reader.reader import ReaderPane
    from netlab.ui.views.views_pane import ViewsPane
    from netlab.ui.wire.intercepting.intercept_editor import ByteEditor

ORDER = ("console", "wire", "bytes", "log")
"""The panes in the order in which tab visits them."""

EXTRAS = ("lanes", "views", "experiment", "picture", "load")
"""Panes that open and close, between wire and bytes."""

LOWER = ("experiment", "picture", "bytes")
"""Panes that share one place; the one that was shown last is seen."""

READING = ("console", "reader", "log")
"""The panes while the reader stands in place of wire and bytes."""


class Panes(Horizontal):
    """Console and server log on the left, wire and bytes on the right. Narrow: the console, and one other below it."""

    SCOPED_CSS = False  # the class for the width is on the screen
    DEFAULT_CSS = RULES

    beside = reactive("wire", repaint=False)  # what changes place is repainted
    """The pane that is shown if only one fits beside the console."""

    whole: reactive[str] = reactive("", repaint=False)
    """The pane that has the whole tab; empty if none has."""

    def __init__(self, console: Console, wire: WireList, inspector: Inspector, log: LogPane) -> None:
        # As `_arrange` sets them: each added class restyles everything.
        super().__init__(id="panes", classes="-wire -lower-bytes")
        self._client, self._wire, self._bytes, self._log = console, wire, inspector, log
        self.reader_slot: Slot[ReaderPane] = Slot("reader", self._settle_soon)
        self.lanes_slot: Slot[LanesPane] = Slot("lanes", self._settle_soon)
        self.views_slot: Slot[ViewsPane] = Slot("views", self._settle_soon)
        self.experiment_slot: Slot[ExperimentPane] = Slot("experiment", self._settle_soon)
        self.picture_slot: Slot[PicturePane] = Slot("picture", self._settle_soon)
        self.load_slot: Slot[LoadPane] = Slot("load", self._settle_soon)
        self.editor_slot: Slot[ByteEditor] = Slot("edit", self._settle_soon)
        self._slots: tuple[Slot[Any], ...] = (
            self.reader_slot, self.experiment_slot, self.picture_slot, self.views_slot, self.lanes_slot,
            self.load_slot, self.editor_slot,
        )  # fmt: skip
        self._lower = "bytes"
        self._destination = ""
        self._then: Callable[[], object] | None = None
        self._settling: Step | None = None
        self._warned = 0

    def compose(self) -> ComposeResult:
        """The two columns."""
        with Vertical(id="left"):
            yield self._client
            yield self._log
        yield PaneBar()
        with Vertical(id="right"):
            yield self._wire
            yield self._bytes

    @property
    def reader(self) -> ReaderPane | None:
        """The reader, if it is mounted."""
        return self.reader_slot.pane

    @property
    def order(self) -> tuple[str, ...]:
        """The mounted panes."""
        if self.reader is not None:
            return READING
        there = [slot.name for slot in self._slots if slot.pane is not None]
        return (*ORDER[:2], *(name for name in EXTRAS if name in there), *ORDER[2:])

    def on_mount(self) -> None:
        """Arrange the panes."""
        self._arrange()

    def watch_beside(self) -> None:
        """Show another pane beside the console."""
        self._arrange()

    def watch_whole(self) -> None:
        """Show one pane alone, or all panes again."""
        self._arrange()

    def _arrange(self) -> None:
        if not self.query(PaneBar):
            return
        shown = self.whole or self.beside
        mounted = {slot.name for slot in self._slots if slot.pane is not None}
        there = [name for name in LOWER if name in mounted or name == "bytes"]
        self._lower = next(name for name in (shown, self._lower, *there) if name in there)
        flags = {"-whole": bool(self.whole), "-reading": self.reader is not None}
        classes = {f"-{shown}", f"-lower-{self._lower}", *(flag for flag, on in flags.items() if on)}
        self._dress(classes)
        self._bytes.set_class(self.editor_slot.pane is not None, "-editing")
        if shown == "log":
            self.query_one(ServerLog).all_seen()
        self._update_bar()

    def _dress(self, classes: set[str]) -> None:
        """Set these classes. Their rules select only columns and panes, so nothing inside a pane is restyled."""
        there = self.classes
        if classes == there:
            return
        self.remove_class(*(there - classes), update=False)
        self.add_class(*(classes - there), update=False)
        columns = [child for child in self.children if child.is_attached]
        panes = [pane for column in columns for pane in column.children]
        self.app.stylesheet.update_nodes([self, *columns, *panes])

    def _update_bar(self) -> None:
        for bar in self.query(PaneBar):
            bar.show_names(self.order, self.beside, self._warned)

    def on_server_log_warned(self, event: ServerLog.Warned) -> None:
        """Show the number of unread warnings."""
        event.stop()
        self._warned = event.unseen
        self._update_bar()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Show the pane that has the focus: it may have moved on since."""
        pane = self.pane_of(self.screen.focused)
        if pane not in ("", "console"):
            self.beside = pane
        self._update_bar()

    def pane_of(self, widget: Widget | None) -> str:
        """The name of the pane that contains a widget; empty if none does."""
        if widget is None:
            return ""
        names = (*ORDER, *READING, *EXTRAS)
        return next((node.id for node in widget.ancestors_with_self if node.id in names), "") or ""

    # Going somewhere

    def go(self, name: str, then: Callable[[], object] | None = None) -> None:
        """Show and focus a pane as soon as all slots have settled; then call ``then``, unless the user has gone
        to another pane meanwhile."""
        if name not in READING:
            self.reader_slot.clear()  # it stands in their place
        self._destination, self._then = name, then
        self._settle_soon()

    def leave_console(self) -> None:
        """Go to the pane beside the console, or to the transcript if the console has the whole tab."""
        if self.whole == "console":
            self._client.transcript.focus()
        else:
            self.go(self.whole or self.beside)

    def targets(self) -> list[JumpTarget]:
        """The mounted panes as targets of the jump mode."""
        regions = {name: self.query_one(f"#{name}").region for name in self.order}
        return [
            JumpTarget(name, at.offset if at.area else None, partial(self.go, name)) for name, at in regions.items()
        ]

    def step(self, direction: int) -> None:
        """Go to the next (1) or previous (-1) widget in the focused pane, then to the next pane."""
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

    def toggle_whole(self) -> None:
        """Give the focused pane the whole tab, or give it back."""
        self.whole = "" if self.whole else (self.pane_of(self.screen.focused) or "console")

    # Panes that open and close

    def put_away(self, slot: Slot[Any]) -> None:
        """Close a slot's pane, and show again what it covered."""
        if slot.wanted is not None:
            slot.clear()
            self.whole = ""
            self.go("experiment" if slot is self.reader_slot and self.experiment_slot.wanted else "wire")

    def close(self, pane: Widget) -> None:
        """Close the pane that stands in one of the slots."""
        for slot in self._slots:
            if slot.wanted is pane:
                self.put_away(slot)

    def _settle_soon(self) -> None:
        if self._settling is None:
            self._settling = begin_step(self.app)
            self.call_later(self._settle)

    async def _settle(self) -> None:
        """Unmount and mount panes until all slots have settled, then go to the destination."""
        while (slot := next((slot for slot in self._slots if not slot.settled), None)) is not None:
            if not self.is_attached:  # the app is leaving
                return
            await slot.advance(*self._place(slot))
        self._show_destination()
        self._arrange()
        self.call_after_refresh(self._arrive)

    def _place(self, slot: Slot[Any]) -> tuple[Widget, Widget | None]:
        """The parent to mount a slot's pane in, and the widget to mount it before."""
        if slot is self.editor_slot:
            return self._bytes, None
        lower = self.experiment_slot.pane or self.picture_slot.pane or self._bytes
        before = {self.reader_slot: None, self.views_slot: lower, self.lanes_slot: self.views_slot.pane or lower}
        return self.query_one("#right"), before.get(slot, self._bytes)

    def _show_destination(self) -> None:
        name = self._destination if self._destination in self.order else "reader" if self.reader else "wire"
        if self._destination:
            self._destination = name
            if self.whole:
                self.whole = name
            if name != "console":
                self.beside = name

    def _arrive(self) -> None:
        """Focus the destination, unless a slot has changed meanwhile."""
        if not all(slot.settled for slot in self._slots):
            self.call_later(self._settle)
            return
        if self._destination:
            self._focus_within(self._entry(self._destination))
        self._destination = ""
        self.app.call_later(self._arrived)  # after the focus, which is moved by the same queue

    def _arrived(self) -> None:
        step, self._settling = self._settling, None
        if self._destination or not all(slot.settled for slot in self._slots):
            self._settle_soon()
        elif self._then is not None:
            then, self._then = self._then, None
            then()
        if step is not None:
            step.end()

    def _entry(self, name: str) -> Widget:
        if name == "console":
            return self._client.prompt
        if name == "wire" and self._wire.held.held:
            return self._wire.held
        if name == "bytes" and self.editor_slot.pane is not None:
            return self.editor_slot.pane
        return self.query_one(f"#{name}")

    def _focus_within(self, widget: Widget) -> None:
        if widget.focusable:
            widget.focus()
            return
        inside = [other for other in self.screen.focus_chain if widget in other.ancestors]
        if inside:
            inside[0].focus()
