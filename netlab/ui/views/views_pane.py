"""The views pane: every buffer and view of a client, which bytes each view shows, and slices side by side.

Its keys send console lines, so that whatever they do can be read in the transcript and typed. It holds no view: it
looks ten times a second, and a line runs between two looks.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import ClassVar, Protocol

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message

from netlab.lab.views.view_facts import BufferFacts, BufferKey, Group, ViewFacts
from netlab.ui.keys.hints import follow_keys, hint
from netlab.ui.views import key_lines
from netlab.ui.views.attributes import attribute_rows
from netlab.ui.views.casts import casts
from netlab.ui.views.chosen_view import Choice
from netlab.ui.views.listing import STEPS, held, listing_rows
from netlab.ui.views.map_page import ReceivedPiece, map_rows
from netlab.ui.views.rows import ViewRow, find, is_segment
from netlab.ui.views.view_rows import ViewRows
from netlab.ui.widgets.chooser import Chooser, ChooserItem
from netlab.ui.widgets.closing import PaneClosed
from netlab.ui.widgets.question import Question

PERIOD = 0.1
"""Seconds between two looks."""

PAGES = ("attributes", "maps", "slices")
_VIEW_ACTS = ("cast", "step", "write", "release")


def can(view: ViewFacts | None, action: str) -> bool:
    """Whether a key can do something with a view: not if it is released, nor write to what is read-only."""
    if view is None or view.released:
        return False
    if action == "release":
        return not is_segment(view.name)  # which no name holds
    return view.ndim > 0 if action == "step" else action != "write" or not view.readonly


class Table(Protocol):
    """What is looked at, as `netlab.lab.views.view_table.ViewTable` gives it."""

    def table(self, *, wait: bool = True) -> tuple[Group, ...]:
        """All buffers and views. Without ``wait``, while a line runs, what was seen last."""

    def bytes_of(self, key: BufferKey) -> AbstractContextManager[memoryview | None]:
        """A buffer's bytes while the body runs; None if it is gone, or a line runs just now."""


class ViewsPane(Vertical):
    """``table`` gives what is there to see; None if there is nothing yet."""

    DEFAULT_CSS = """
    ViewsPane { height: 1fr; }
    ViewsPane Question { dock: bottom; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "cast", "cast", id="views.cast", tooltip="Cast the view to another format or shape: v.cast('H')"),
        Binding("t", "step", "step", id="views.step", tooltip="Slice the view, with a step or without: v[::2], v[4:8]"),
        Binding("w", "write", "write", id="views.write", tooltip="Write through the view, at the cursor of the bytes"),
        Binding("r", "release", "release", id="views.release", tooltip="Release the view: v.release()"),
        Binding("x", "next_page", "page", id="views.page",
                tooltip="Show attributes, maps of what each view shows, or slices side by side, in turn"),
        Binding("space", "run_next", "next line", id="views.next", tooltip="Run the next line of the listing"),
        Binding("enter", "bytes", "bytes", show=False, id="views.bytes", tooltip="Go to the bytes of what is chosen"),
        Binding("escape", "close", "close", show=False, id="views.close", tooltip="Close the views"),
    ]  # fmt: skip

    @dataclass
    class LineRequested(Message):
        """A key asks for a console line."""

        line: str

    @dataclass
    class Chosen(Message):
        """Another view or buffer was chosen, or what is known of it has changed. None: it is gone."""

        buffer: BufferFacts | None
        view: ViewFacts | None
        another: bool

    class BytesRequested(Message):
        """Go to the bytes of what was chosen."""

    def __init__(
        self,
        table: Callable[[], Table | None],
        index: Callable[[], tuple[int, ...] | None] = lambda: None,
        piece: Callable[[], ReceivedPiece | None] = lambda: None,
    ) -> None:
        """``index`` gives the index of the view's element at the cursor of the bytes, ``piece`` what came last."""
        super().__init__(id="views")
        self._table, self._index, self._piece = table, index, piece
        self._rows, self._question = ViewRows(), Question()
        self._groups: tuple[Group, ...] = ()
        self._choice = Choice()
        self._told: object = None
        self._page = 0
        self._done = 0
        self._next = 0.0

    def compose(self) -> ComposeResult:
        """The rows, and a question at the foot."""
        yield self._rows
        yield self._question

    def on_mount(self) -> None:
        """Name keys only while they work."""
        follow_keys(self, self._update_title)

    def on_resize(self) -> None:
        """Fit the width."""
        self._draw()

    # What is shown

    @property
    def text(self) -> str:
        """All rows as text."""
        return self._rows.text

    @property
    def view(self) -> ViewFacts | None:
        """The view that is chosen."""
        return find(self._groups, self._choice.subject)[1]

    def look(self) -> None:
        """Look at the views again, if it is time to."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + PERIOD
        table = self._table()
        self._groups = table.table(wait=False) if table is not None else ()
        self._choice.settle(self._groups)
        self._tell()
        self._draw()

    def begin_again(self) -> None:
        """Another client is looked at: its listing begins, and nothing of it is chosen yet."""
        self._choice, self._done, self._next = Choice(), 0, 0.0

    def _tell(self) -> None:
        """Say what is chosen, if that is another, or has changed."""
        buffer, view = find(self._groups, self._choice.subject)
        known = (buffer.key, buffer.nbytes, buffer.address) if buffer is not None else None, view
        if (self._choice.subject, known) != self._told:
            before, self._told = self._told, (self._choice.subject, known)
            another = not isinstance(before, tuple) or before[0] != self._choice.subject
            self.post_message(self.Chosen(buffer, view, another))
            self.refresh_bindings()

    def _draw(self) -> None:
        if self.is_mounted:
            self._rows.show(self._made((self._rows.scrollable_content_region.width or 79) - 1), self._choice.subject)
            self._update_title()

    def _made(self, width: int) -> list[ViewRow]:
        table = self._table()
        if self._page == 0 or table is None:
            return attribute_rows(self._groups, self._choice.subject, width)
        if self._page == 1:
            return map_rows(self._groups, self._choice.subject, width, table.bytes_of, self._piece())
        objects = held(self._groups, table.bytes_of, 20)
        words = "runs the next line" if self._done < len(STEPS) else "begins again"
        return listing_rows(objects, self._done, width, hint(self, ("run_next", words)))

    def _update_title(self) -> None:
        after = PAGES[(self._page + 1) % len(PAGES)]
        keys = hint(self, ("next_page", f"shows {after}"), ("bytes", "goes to the bytes"), ("close", "closes"))
        title = Content(" ── ".join(filter(None, (f"views: {PAGES[self._page]}", keys)))).markup
        if title != self._rows.border_title:
            self._rows.border_title = title

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What can be done with what is chosen, on the page that is shown."""
        if self._question.asking:
            return False
        if action == "run_next":
            return self._page == 2
        if action in _VIEW_ACTS:
            return self._page < 2 and (can(self.view, action) or None)
        return True

    def on_view_rows_moved(self, event: ViewRows.Moved) -> None:
        """Choose the next or the previous subject."""
        event.stop()
        if self._page == 2:
            self._rows.scroll_relative(y=event.way, animate=False)
        else:
            self._choice.step(self._groups, event.way)
            self._tell()
            self._draw()

    def on_view_rows_clicked(self, event: ViewRows.Clicked) -> None:
        """Choose what was clicked."""
        event.stop()
        self._choice.take(event.subject)
        self._tell()
        self._draw()

    def action_next_page(self) -> None:
        """Show the next page."""
        self._page = (self._page + 1) % len(PAGES)
        self._rows.scroll_to(y=0, animate=False)
        self._draw()
        self.refresh_bindings()

    def action_bytes(self) -> None:
        """Go to the bytes."""
        self.post_message(self.BytesRequested())

    def action_close(self) -> None:
        """Close the views."""
        self.post_message(PaneClosed(self))

    def action_run_next(self) -> None:
        """Run the next line of the listing; after the last one, the first again."""
        self._done = self._done % len(STEPS) + 1
        self._ask(STEPS[self._done - 1].line)
        self._draw()

    def _ask(self, line: str, name: str = "") -> None:
        self._choice.awaited = name
        self._next = 0.0
        self.post_message(self.LineRequested(line))

    def action_release(self) -> None:
        """Release the view."""
        if (view := self.view) is not None:
            self._ask(key_lines.release_line(view))

    def action_cast(self) -> None:
        """Ask to what the view is cast; what CPython refuses cannot be chosen, and its reason stands there."""
        if (view := self.view) is None:
            return
        choices = [ChooserItem(each.arguments, each.arguments, each.meaning, each.refusal) for each in casts(view)]

        def chosen(answer: tuple[str, str] | None) -> None:
            if answer is not None:
                name = key_lines.new_name(self._groups)
                self._ask(key_lines.cast_line(view, answer[1], name), name)

        title = f"cast {view.name}, format {view.format!r}, {view.nbytes:,} bytes, to"
        self.app.push_screen(Chooser(Content(title).plain, choices), chosen)

    def action_step(self) -> None:
        """Ask for a slice."""
        if (view := self.view) is None:
            return
        name = key_lines.new_name(self._groups)

        def check(typed: str) -> str:
            count = key_lines.elements_of(view, key_lines.parse_slice(typed)[1])
            return f"{key_lines.slice_line(view, typed, name)} shows {count:,} of {view.shape[0]:,} and copies nothing"

        self._question.ask("slice", f"{view.name}[", "::2", check)

    def action_write(self) -> None:
        """Ask what to write through the view, at the cursor of the bytes if that is on one of its elements."""
        if (view := self.view) is not None:
            self._question.ask("write", f"write through {view.name}:", "", lambda typed: self._write_line(view, typed))

    def _write_line(self, view: ViewFacts, typed: str) -> str:
        return key_lines.write_line(view, self._index() or (0,) * view.ndim, typed)

    def on_question_submitted(self, event: Question.Submitted) -> None:
        """Send the line."""
        event.stop()
        if (view := self.view) is None:
            return
        if event.purpose == "slice":
            name = key_lines.new_name(self._groups)
            self._ask(key_lines.slice_line(view, event.text, name), name)
        else:
            self._ask(self._write_line(view, event.text))
