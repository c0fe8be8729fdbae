"""The wire pane: the segments of a capture, with filter, intercept, replay and export.

`WireView` shows them; this pane adds the held segments and the question at its foot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message

from netlab.capture.model import Segment
from netlab.capture.view import CapturedSegments
from netlab.dissect.reading.meanings import How
from netlab.lab.state import HeldSegment
from netlab.ui.widgets.question import Question
from netlab.ui.widgets.saving import check_new_file, save_runs
from netlab.ui.wire.intercepting.intercept_list import HeldList
from netlab.ui.wire.segment_lines import SegmentLines
from netlab.ui.wire.segment_list import SegmentList
from netlab.ui.wire.wire_filter import LinesFilter, explain_filter, explain_intercept
from netlab.ui.wire.wire_keys import KEYS
from netlab.ui.wire.wire_view import WireView


class WireList(WireView):
    """The segments of a capture with what the user does on the wire: filter, hold, edit, replay, export."""

    DEFAULT_CSS = """
    WireList { height: 1fr; }
    WireList SegmentList { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = KEYS

    @dataclass
    class SegmentHighlighted(Message):
        """The cursor is on another segment (None: there is none)."""

        segment: Segment | None

    @dataclass
    class SegmentChosen(Message):
        """The user pressed enter on a segment to see its bytes."""

        segment: Segment

    @dataclass
    class ActionRequested(Message):
        """The user wants something done on the wire: hold by the filter ``text``, or act on a segment."""

        what: str
        text: str = ""
        held: HeldSegment | None = None
        segment: Segment | None = None

    class StopRequested(Message):
        """The user stops the reading of a file."""

    @dataclass
    class RequestFailed(Message):
        """A request to the wire failed, and why."""

        why: str

    def __init__(self, *, id: str | None = None, live: bool = False) -> None:
        """``live``: there is a wire, from which new segments arrive and on which segments can be held and replayed."""
        super().__init__(id=id, live=live)
        self.held = HeldList()
        self._live = live
        self._intercept = ""
        self._question = Question()
        self._filter = LinesFilter(self._list)

    def compose(self) -> ComposeResult:
        """The held segments, the lines, and the question."""
        yield self.held
        yield self._list
        yield self._flow_line
        yield self._question

    def on_mount(self) -> None:
        """Keep filtering."""
        self.set_interval(1 / 50, self._filter.go_on)

    def on_unmount(self) -> None:
        """End filtering."""
        self._filter.end()

    # What is shown

    @property
    def question(self) -> Question:
        """The question at the foot."""
        return self._question

    def show(self, capture: CapturedSegments | None, how: How = None) -> None:
        """Show another capture (None: nothing yet), without a filter, at its newest segment.

        A line shows the summary of who reads its flow (``how``); otherwise a preview of the text.
        """
        self._filter.forget()
        super().show(capture, how)

    def read_as(self, how: How) -> None:
        """Read the bytes in another way: draw all lines again, and post the highlighted segment."""
        super().read_as(how)
        self.post_message(self.SegmentHighlighted(self.highlighted))

    def grow(self) -> None:
        """Show new segments of the capture. It is cheap if there are none."""
        if not self._filter.on:
            super().grow()

    def on_segment_lines_row_highlighted(self, event: SegmentLines.RowHighlighted) -> None:
        """Post it as this pane's own message, unless the cursor is on a held segment."""
        event.stop()
        if self.held.highlighted is None or not self.held.has_focus:
            self.post_message(self.SegmentHighlighted(event.segment))

    def on_segment_list_selected(self, event: SegmentList.Selected) -> None:
        """Post it as this pane's own message."""
        event.stop()
        self.post_message(self.SegmentChosen(event.segment))

    # Held segments

    def show_held(self, held: Sequence[HeldSegment], intercept: str = "") -> None:
        """Show the held segments, and keep the filter for the next question."""
        self._intercept = intercept
        if tuple(held) == self.held.held:
            return
        had_focus = self.held.has_focus
        self.held.show(held, self.capture, self._how)
        if had_focus and not held:
            self._list.focus()
            self.post_message(self.SegmentHighlighted(self.highlighted))
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Actions on held segments need one; editing and dropping need a highlighted one; stopping, what runs."""
        if action == "clear":
            return self._filter.on
        if action == "stop":
            return self._filter.running or self._list.title.stoppable
        if action not in ("want", "intercept"):
            return action != "filter" or not self._question.asking  # it is typed into the question
        if action == "intercept" or not self._live:
            return self._live
        if parameters[0] == "replay":
            return self.highlighted is not None or bool(self.held.held)
        return bool(self.held.held) and (parameters[0] not in ("edit", "drop") or self.held.has_focus)

    def _wanted_segment(self) -> Segment | None:
        """The held segment if those have the focus, else the one in the list; None if it has no bytes."""
        segment = self.held.segment if self.held.has_focus else self.highlighted
        return segment if segment is not None and (segment.data or segment.dropped) else None

    def action_want(self, what: str) -> None:
        """Request an action on a segment."""
        if what == "replay" and self._wanted_segment() is None:
            self.notify("this segment has no bytes to replay", severity="warning", markup=False)
            return
        self.post_message(self.ActionRequested(what, held=self.held.highlighted, segment=self._wanted_segment()))

    def on_wire_list_request_failed(self, event: RequestFailed) -> None:
        """Show why, beside the segments."""
        event.stop()
        self.notify(event.why, severity="warning", markup=False)

    def action_intercept(self) -> None:
        """Ask which segments to hold."""
        self._question.ask("intercept", "hold", self._intercept, explain_intercept)

    def on_held_list_held_highlighted(self, event: HeldList.HeldHighlighted) -> None:
        """Show its bytes."""
        event.stop()
        self.post_message(self.SegmentHighlighted(event.segment))

    def on_held_list_bytes_requested(self, event: HeldList.BytesRequested) -> None:
        """Go to its bytes."""
        event.stop()
        if self.held.segment is not None:
            self.post_message(self.SegmentChosen(self.held.segment))

    def on_held_list_past_first(self, event: HeldList.PastFirst) -> None:
        """Go back to the segments that crossed."""
        event.stop()
        self._list.focus()
        self.post_message(self.SegmentHighlighted(self.highlighted))

    def on_segment_list_past_last(self, event: SegmentList.PastLast) -> None:
        """Go on to the held segments."""
        event.stop()
        if self.held.held:
            self.held.focus()

    # The filter

    def action_filter(self) -> None:
        """Ask which segments to show."""
        self._filter.keep()
        self._question.ask("filter", "filter", self._filter.text, explain_filter)

    def filter(self, text: str) -> None:
        """Show only segments that match the filter; all if it is empty. `ValueError` says what is wrong."""
        self._filter.show(text)

    def action_stop(self) -> None:
        """Stop what takes long: a filter gives way to the one before it."""
        if self._filter.running:
            self._filter.cancel()
        else:
            self.post_message(self.StopRequested())

    def action_clear(self) -> None:
        """Show all segments again."""
        self._filter.show("")

    def on_question_changed(self, event: Question.Changed) -> None:
        """Filter as it is typed."""
        event.stop()
        if event.purpose == "filter" and event.right:
            self.filter(event.text)

    def on_question_submitted(self, event: Question.Submitted) -> None:
        """Hold segments or export bytes; a filter has been applied already."""
        event.stop()
        if event.purpose == "filter":
            self._filter.accept()
        elif event.purpose == "intercept":
            self.post_message(self.ActionRequested("intercept", text=event.text))
        elif event.purpose == "export":
            chosen = list(self._list.rows.chosen())
            save_runs(self, Path(event.text).expanduser(), [s.data for s in chosen], f"{len(chosen)} segments")

    def on_question_dismissed(self, event: Question.Dismissed) -> None:
        """Esc restores the filter that stood before."""
        event.stop()
        if event.purpose == "filter":
            self._filter.restore()

    # Export

    def action_export(self) -> None:
        """Ask for the file."""
        self._question.ask("export", "write bytes to", "", check_new_file)
