"""The wire pane: the segments of a capture, with filter, intercept, replay and export.

`SegmentList` draws the lines; this pane holds it and the question at its foot.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message

from netlab.capture.filter import parse
from netlab.capture.model import Endpoint, Segment
from netlab.capture.view import CapturedSegments
from netlab.dissect.reading.meanings import How, Meanings
from netlab.lab.server_sockets import ServerSockets
from netlab.lab.state import HeldSegment
from netlab.ui.widgets.question import Question
from netlab.ui.widgets.saving import check_new_file, save_runs
from netlab.ui.wire.decrypted_lines import DecryptedLines
from netlab.ui.wire.flow_line import FlowLine, words
from netlab.ui.wire.intercept_list import HeldList
from netlab.ui.wire.segment_list import SegmentList
from netlab.ui.wire.wire_filter import FilterScan, explain_filter, explain_intercept
from netlab.ui.wire.wire_keys import KEYS

_SCAN_SECONDS = 0.006
"""How long a filter may take per tick; a frame at 60 per second has 16 ms."""

_OPEN_EVERY = 0.2
"""Seconds between two checks for segments whose meaning is not known yet."""
_REST = 4
"""After that, this many times its duration passes before the next: in a flood, keys need the time."""


class WireList(Vertical):
    """The segments of a capture, one per line, newest last; it follows the newest unless the user moves the cursor."""

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
    class Decrypted(Message):
        """It was found out what segments mean, which took ``seconds``; ``more``: more is known than before."""

        more: bool
        seconds: float

    @dataclass
    class ActionRequested(Message):
        """The user wants something done on the wire: hold by the filter ``text``, or act on a segment."""

        what: str
        text: str = ""
        held: HeldSegment | None = None
        segment: Segment | None = None

    @dataclass
    class RequestFailed(Message):
        """A request to the wire failed, and why."""

        why: str

    def __init__(self, *, id: str | None = None, live: bool = False) -> None:
        """``live``: there is a wire, from which new segments arrive and on which segments can be held and replayed."""
        super().__init__(id=id)
        self.held = HeldList()
        self._live = live
        self._list = SegmentList(live=live)
        self._flow_line = FlowLine()
        self._intercept = ""
        self._how: How = None
        self._question = Question()
        self._scan: FilterScan | None = None
        self._scan_before: FilterScan | None = None  # what stood when another filter was asked for
        self.decrypted: DecryptedLines | None = None
        """Decrypts encrypted segments, if the topic's are."""
        self._opening, self._rest_until = False, 0.0

    def compose(self) -> ComposeResult:
        """The held segments, the lines, and the question."""
        yield self.held
        yield self._list
        yield self._flow_line
        yield self._question

    def on_mount(self) -> None:
        """Keep filtering and decrypting."""
        self.set_interval(1 / 50, self._go_on_scanning)
        self.set_interval(_OPEN_EVERY, self._open)

    # What is shown

    @property
    def question(self) -> Question:
        """The question at the foot."""
        return self._question

    @property
    def capture(self) -> CapturedSegments | None:
        """The capture that is shown."""
        return self._list.rows.capture

    @property
    def highlighted(self) -> Segment | None:
        """The segment at the cursor."""
        return self._list.highlighted

    @property
    def following(self) -> bool:
        """Whether the newest segment is followed."""
        return self._list.rows.following

    @property
    def flooded(self) -> bool:
        """Whether segments arrive faster than anyone can read. Afterwards the highlighted segment is posted again."""
        return self._list.flooded

    def show(self, capture: CapturedSegments | None, how: How = None) -> None:
        """Show another capture (None: nothing yet), without a filter, at its newest segment.

        A line shows the summary of who reads its flow (``how``); otherwise a preview of the text.
        """
        self._scan, self._scan_before, self._how = None, None, how
        if self.decrypted is not None:
            self.decrypted.forget()
        self._list.show_opened(self.decrypted)
        self._list.show(capture, how)

    def _open(self) -> None:
        """Find out, in a thread, what segments mean that were drawn without: decrypt them, read their flows on."""
        capture = self.capture
        if capture is None or self._opening or time.monotonic() < self._rest_until:
            return
        work = list(self._how.work()) if isinstance(self._how, Meanings) else []
        opened = self.decrypted
        if opened is not None and (sealed := opened.work(capture)):
            work.append(partial(opened.open, sealed))
        if not work:
            return
        self._opening = True

        def open() -> None:
            began = time.monotonic()
            more = sum(each() for each in work) > 0
            self.post_message(self.Decrypted(more, time.monotonic() - began))

        self.run_worker(open, name="open", group="open", thread=True, exit_on_error=False)

    def on_wire_list_decrypted(self, event: Decrypted) -> None:
        """Draw them again."""
        event.stop()
        self._opening = False
        self._rest_until = time.monotonic() + _REST * event.seconds
        if event.more:
            self._list.refresh()

    def read_as(self, how: How) -> None:
        """Read the bytes in another way: draw all lines again, and post the highlighted segment."""
        self._how = how
        self._list.read_as(how)
        self.post_message(self.SegmentHighlighted(self.highlighted))

    def grow(self) -> None:
        """Show new segments of the capture. It is cheap if there are none."""
        if self._scan is None:
            self._list.grow()

    @property
    def clients_in_view(self) -> frozenset[Endpoint]:
        """The clients whose TCP flows are on the screen."""
        return self._list.clients_in_view

    def show_sockets(self, sockets: ServerSockets | None) -> None:
        """Show what the kernel knows of the flows in view; call it often."""
        flows = sockets.flows if sockets is not None else {}
        self._list.show_unread(flows)
        segment = self.highlighted
        flow = flows.get(segment.flow.client) if segment is not None else None
        said = words(segment.flow.number, flow, sockets) if segment and flow and sockets else ""
        self._flow_line.look(said)

    def pause(self) -> None:
        """Stop following: the user looks at a segment, here or in another pane."""
        self._list.pause()

    def go_to(self, number: int) -> None:
        """Put the cursor on the segment with this number and stop following."""
        self._list.go_to(number)

    def link(self, numbers: Iterable[int]) -> None:
        """Mark the segments with these numbers as those of the selected call."""
        self._list.link(numbers)

    def focus(self, scroll_visible: bool = True) -> WireList:
        """Focus the lines."""
        self._list.focus(scroll_visible)
        return self

    def on_segment_list_row_highlighted(self, event: SegmentList.RowHighlighted) -> None:
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
        """Actions on held segments need one; editing and dropping need a highlighted one."""
        if action == "clear":
            return self._scan is not None
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
        self._scan_before = self._scan
        self._question.ask("filter", "filter", self._scan.text if self._scan else "", explain_filter)

    def filter(self, text: str) -> None:
        """Show only segments that match the filter; all if it is empty. `ValueError` says what is wrong."""
        if not text.strip() or self.capture is None:
            self._take(None)
            return
        scan = FilterScan(self.capture, parse(text).matches, text)
        scan.step(_SCAN_SECONDS)
        self._take(scan)

    def _take(self, scan: FilterScan | None) -> None:
        """Show what a filter lets through, or all."""
        self._scan = scan
        self._list.show_rows(scan.rows if scan else None, scan.counts if scan else "")
        self.refresh_bindings()

    def action_clear(self) -> None:
        """Show all segments again."""
        self._take(None)

    def _go_on_scanning(self) -> None:
        if self._scan is not None and self._scan.step(_SCAN_SECONDS):
            self._list.grow()
            self._list.note(self._scan.counts)

    def on_question_changed(self, event: Question.Changed) -> None:
        """Filter as it is typed."""
        event.stop()
        if event.purpose == "filter" and event.right:
            self.filter(event.text)

    def on_question_submitted(self, event: Question.Submitted) -> None:
        """Hold segments or export bytes; a filter has been applied already."""
        event.stop()
        if event.purpose == "intercept":
            self.post_message(self.ActionRequested("intercept", text=event.text))
        elif event.purpose == "export":
            chosen = list(self._list.rows.chosen())
            save_runs(self, Path(event.text).expanduser(), [s.data for s in chosen], f"{len(chosen)} segments")

    def on_question_dismissed(self, event: Question.Dismissed) -> None:
        """Esc restores the filter that stood before."""
        event.stop()
        if event.purpose == "filter":
            self._take(self._scan_before)

    # Export

    def action_export(self) -> None:
        """Ask for the file."""
        self._question.ask("export", "write bytes to", "", check_new_file)
