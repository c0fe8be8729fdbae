"""The panes of a tab and how they share the screen: all at once where there is room, else console and one other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.reactive import reactive
from textual.style import Style
from textual.widget import Widget
from textual.widgets import Input, Static

from netlab.ui.bytes.inspector import Inspector
from netlab.ui.console.console_pane import Console
from netlab.ui.keys.jump import Target
from netlab.ui.keys.type_ahead import Step, begin_step
from netlab.ui.tab.server_log import LogPane, ServerLog
from netlab.ui.tab.slots import Slot
from netlab.ui.wire.wire_list import WireList

if TYPE_CHECKING:
    from netlab.ui.experiments.experiment_pane import ExperimentPane
    from netlab.ui.lanes.lanes_pane import LanesPane
    from netlab.ui.reader.reader import Reader
    from netlab.ui.wire.intercept_editor import ByteEditor

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

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._panes = Content()

    def tell(self, order: Sequence[str], beside: str, warned: int) -> None:
        """Mark the pane that is shown, and how many warnings wait in the log. Where keys are typed, esc comes first."""
        marks = {"log": f" !{warned}"} if warned else {}
        names = [self._named(name, name == beside, marks.get(name, "")) for name in order[1:]]
        self._panes = Content(" ").join(names)
        self.on_resize()

    def on_resize(self) -> None:
        """Say as many hints as have room, each of them whole."""
        first = "esc, then " * isinstance(self.screen.focused, Input)
        keys = [f"{first}tab: next pane", "\\: the whole tab"]
        while keys and self._panes.cell_length + 3 + len("   ".join(keys)) > self.content_size.width:
            del keys[-1]
        self.update(Content.assemble(self._panes, "   ", "   ".join(keys)), layout=False)

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

    def __init__(self, console: Console, wire: WireList, inspector: Inspector, log: LogPane) -> None:
        super().__init__(id="panes", classes="-wire")  # as `_arrange` has it: each class that comes styles all anew
        self._client, self._wire, self._bytes, self._log = console, wire, inspector, log
        self.reader_slot: Slot[Reader] = Slot("reader", self._settle_soon)
        self.lanes_slot: Slot[LanesPane] = Slot("lanes", self._settle_soon)
        self.experiment_slot: Slot[ExperimentPane] = Slot("experiment", self._settle_soon)
        self.editor_slot: Slot[ByteEditor] = Slot("edit", self._settle_soon)
        self._slots: tuple[Slot[Any], ...] = (
            self.reader_slot, self.experiment_slot, self.lanes_slot, self.editor_slot,
        )  # fmt: skip
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
    def reader(self) -> Reader | None:
        """What is read, if it is there."""
        return self.reader_slot.pane

    @property
    def order(self) -> tuple[str, ...]:
        """The panes that there are now."""
        if self.reader is not None:
            return READING
        there = [slot.name for slot in self._slots if slot.pane is not None]
        return (*ORDER[:2], *(name for name in EXTRAS if name in there), *ORDER[2:])

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
        there = {f"-with-{slot.name}" for slot in (self.experiment_slot, self.lanes_slot) if slot.pane is not None}
        lower = shown == "bytes" if shown in ("bytes", "experiment") else self.has_class("-lower-bytes")
        flags = {
            "-whole": bool(self.whole),
            "-reading": self.reader is not None,
            "-lower-bytes": lower and self.reader is None,
        }
        classes = {f"-{shown}", *there, *(flag for flag, on in flags.items() if on)}
        self._dress(classes)
        self._bytes.set_class(self.editor_slot.pane is not None, "-editing")
        if shown == "log":
            self.query_one(ServerLog).all_seen()
        self._tell_bar()

    def _dress(self, classes: set[str]) -> None:
        """Have these classes. Their rules name the columns and the panes: what is within a pane keeps its styles."""
        there = self.classes
        if classes == there:
            return
        self.remove_class(*(there - classes), update=False)
        self.add_class(*(classes - there), update=False)
        columns = [child for child in self.children if child.is_attached]
        panes = [pane for column in columns for pane in column.children]
        self.app.stylesheet.update_nodes([self, *columns, *panes])

    def _tell_bar(self) -> None:
        for bar in self.query(PaneBar):
            bar.tell(self.order, self.beside, self._warned)

    def on_server_log_warned(self, event: ServerLog.Warned) -> None:
        """Say that the log has something to tell, or no longer."""
        event.stop()
        self._warned = event.unseen
        self._tell_bar()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """What has the focus is shown."""
        pane = self.pane_of(event.widget)
        if pane not in ("", "console"):
            self.beside = pane
        self._tell_bar()

    def pane_of(self, widget: Widget | None) -> str:
        """The name of the pane that a widget is in, or nothing."""
        if widget is None:
            return ""
        names = (*ORDER, *READING, *EXTRAS)
        return next((node.id for node in widget.ancestors_with_self if node.id in names), "") or ""

    # Going somewhere

    def go(self, name: str, then: Callable[[], object] | None = None) -> None:
        """Show a pane and put the focus into it, as soon as all panes that come and go have come and gone; ``then``
        comes after that, unless another pane is wanted meanwhile."""
        if name not in READING:
            self.reader_slot.clear()  # it stands in their place
        self._destination, self._then = name, then
        self._settle_soon()

    def leave_console(self) -> None:
        """Where single letters act: the pane beside it; the transcript while the console has the whole tab."""
        if self.whole == "console":
            self._client.transcript.focus()
        else:
            self.go(self.whole or self.beside)

    def targets(self) -> list[Target]:
        """Each pane that there is, for the jump mode."""
        regions = {name: self.query_one(f"#{name}").region for name in self.order}
        return [Target(name, at.offset if at.area else None, partial(self.go, name)) for name, at in regions.items()]

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

    def toggle_whole(self) -> None:
        """Give the focused pane the whole tab, or give it back."""
        self.whole = "" if self.whole else (self.pane_of(self.screen.focused) or "console")

    # Panes that come and go

    def put_away(self, slot: Slot[Any]) -> None:
        """Show what is beside or below such a pane again."""
        if slot.wanted is not None:
            slot.clear()
            self.whole = ""
            self.go("experiment" if slot is self.reader_slot and self.experiment_slot.wanted else "wire")

    def _settle_soon(self) -> None:
        if self._settling is None:
            self._settling = begin_step(self.app)
            self.call_later(self._settle)

    async def _settle(self) -> None:
        """Let panes go and come until all that is wanted is there, then go where the person wants to be."""
        while (slot := next((slot for slot in self._slots if not slot.settled), None)) is not None:
            if not self.is_attached:  # the app is leaving
                return
            await slot.advance(*self._place(slot))
        self._show_destination()
        self._arrange()
        self.call_after_refresh(self._arrive)

    def _place(self, slot: Slot[Any]) -> tuple[Widget, Widget | None]:
        """What a pane is mounted in, and before which other one."""
        if slot is self.editor_slot:
            return self._bytes, None
        lower = self.experiment_slot.pane if slot is self.lanes_slot else None
        return self.query_one("#right"), None if slot is self.reader_slot else lower or self._bytes

    def _show_destination(self) -> None:
        name = self._destination if self._destination in self.order else "reader" if self.reader else "wire"
        if self._destination:
            self._destination = name
            if self.whole:
                self.whole = name
            if name != "console":
                self.beside = name

    def _arrive(self) -> None:
        """Put the focus into the pane, unless something else is wanted meanwhile."""
        if not all(slot.settled for slot in self._slots):
            self.call_later(self._settle)
            return
        if self._destination:
            self._focus_within(self._entry(self._destination))
        self._destination = ""
        self.app.call_later(self._arrived)  # behind the focus, which moves in the same way

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
