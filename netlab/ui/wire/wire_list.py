"""The wire pane: the segments of a capture, and what can be asked of them: a filter, an export.

`SegmentList` draws the lines; this pane holds it and the question at its foot.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message

from netlab.capture.filter import parse
from netlab.capture.model import Segment
from netlab.capture.view import CapturedSegments
from netlab.dissect.fields import Dissector
from netlab.lab.state import HeldSegment
from netlab.ui.keys.commands import clear_key
from netlab.ui.widgets.question import Question
from netlab.ui.widgets.saving import check_new_file, save_runs
from netlab.ui.wire.decrypted_lines import OpenedLines
from netlab.ui.wire.intercept_list import HeldList
from netlab.ui.wire.segment_list import SegmentList
from netlab.ui.wire.wire_filter import FilterScan

_SCAN_SECONDS = 0.006
"""A filter may take this much of each tick: a frame at 60 a second has 16 ms."""

_OPEN_EVERY = 0.2
"""Seconds between looks at what is encrypted."""
_REST = 4
"""After opening nothing is opened for so many times as long as that took: under a flood, keys need the time."""

KEYS: list[BindingType] = [
    Binding("a", "want('release')", "let go", id="wire.release", tooltip="Let the held segment go on"),
    Binding("A", "want('release_all')", "all go", id="wire.release_all", show=False,
            tooltip="Let all held segments go on"),
    Binding("e", "want('edit')", "edit", id="wire.edit",
            tooltip="Edit the bytes of the held segment (elsewhere: experiments)"),
    Binding("d", "want('drop')", "drop", id="wire.drop",
            tooltip="Let the held segment go no further (elsewhere: then/now)"),
    Binding("slash", "filter", "filter", id="wire.filter_here",
            tooltip="Show only segments that match: flow, direction, size, text or bytes"),
    Binding("i", "intercept", "intercept", id="wire.intercept_here",
            tooltip="Hold segments that match a filter, until you let them go; an empty one holds none"),
    Binding("r", "want('replay')", "replay", id="wire.replay",
            tooltip="Send the segment's bytes again, in the same flow or in a new one"),
    Binding("w", "export", "export bytes", id="wire.export", show=False,
            tooltip="Write the bytes of the marked, else the shown segments to a file"),
    clear_key("wire", "Clear the filter: show all segments again"),
]  # fmt: skip


class WireList(Vertical):
    """Every segment of a capture, one a line, newest last, followed unless the person moved."""

    DEFAULT_CSS = """
    WireList { height: 1fr; }
    WireList SegmentList { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = KEYS

    @dataclass
    class SegmentHighlighted(Message):
        """The cursor stands on another segment (None: there is none)."""

        segment: Segment | None

    @dataclass
    class SegmentChosen(Message):
        """Enter was pressed on a segment: the person wants its bytes."""

        segment: Segment

    @dataclass
    class Opened(Message):
        """Encrypted segments were opened; ``more`` than before is understood. It took some ``seconds``."""

        more: bool
        seconds: float

    @dataclass
    class Wanted(Message):
        """A person wants something done on the wire: hold by the filter ``text``, or something with a segment."""

        what: str
        text: str = ""
        held: HeldSegment | None = None
        segment: Segment | None = None

    @dataclass
    class Refused(Message):
        """What was wanted on the wire cannot be done, and why."""

        why: str

    def __init__(self, *, id: str | None = None, live: bool = False) -> None:
        """``live``: there is a wire, from which segments go on coming, and on which some can be held and replayed."""
        super().__init__(id=id)
        self.held = HeldList()
        self._live = live
        self._list = SegmentList(live=live)
        self._intercept = ""
        self._dissector: Dissector | None = None
        self._question = Question()
        self._scan: FilterScan | None = None
        self._scan_before: FilterScan | None = None  # what stood when another filter was asked for
        self.opened: OpenedLines | None = None
        """What opens encrypted segments."""
        self._opening, self._rest_until = False, 0.0

    def compose(self) -> ComposeResult:
        """The held segments at the foot, the lines, and the question below."""
        yield self.held
        yield self._list
        yield self._question

    def on_mount(self) -> None:
        """Look at more segments for the filter while there are any."""
        self.set_interval(1 / 50, self._go_on_scanning)
        self.set_interval(_OPEN_EVERY, self._open)

    # What is shown

    @property
    def question(self) -> Question:
        """What is asked at the foot."""
        return self._question

    @property
    def capture(self) -> CapturedSegments | None:
        """The capture that is shown."""
        return self._list.rows.capture

    @property
    def highlighted(self) -> Segment | None:
        """The segment that the cursor stands on."""
        return self._list.highlighted

    @property
    def following(self) -> bool:
        """Whether the newest segment is followed."""
        return self._list.rows.following

    @property
    def hurried(self) -> bool:
        """Whether more comes than anyone can read. When it is over, the highlighted segment is told once more."""
        return self._list.hurried

    def show(self, capture: CapturedSegments | None, dissector: Dissector | None = None) -> None:
        """Show another capture (None: nothing yet), without a filter, from its newest segment on.

        With a dissector, its summary is what a line says, else a preview of the text.
        """
        self._scan, self._scan_before, self._dissector = None, None, dissector
        if self.opened is not None:
            self.opened.forget()
        self._list.show_opened(self.opened)
        self._list.show(capture, dissector)

    def _open(self) -> None:
        """Open, in a thread, the records of the encrypted segments that were drawn and are not understood yet."""
        opened, capture = self.opened, self.capture
        if opened is None or capture is None or self._opening or time.monotonic() < self._rest_until:
            return
        if not (work := opened.work(capture)):
            return
        self._opening = True

        def open() -> None:
            began = time.monotonic()
            self.post_message(self.Opened(opened.open(work), time.monotonic() - began))

        self.run_worker(open, name="open", group="open", thread=True, exit_on_error=False)

    def on_wire_list_opened(self, event: Opened) -> None:
        """Draw what is understood now."""
        event.stop()
        self._opening = False
        self._rest_until = time.monotonic() + _REST * event.seconds
        if event.more:
            self._list.refresh()

    def grow(self) -> None:
        """Take in what the capture has more. Cheap when there is nothing new."""
        if self._scan is None:
            self._list.grow()

    def hold(self) -> None:
        """Stop following the newest: the person looks at something, here or in a pane that shows this segment."""
        self._list.hold()

    def go_to(self, number: int) -> None:
        """Put the cursor on the segment with this number and stop following."""
        self._list.go_to(number)

    def link(self, numbers: Iterable[int]) -> None:
        """Mark the segments with these numbers as those of the call that is looked at."""
        self._list.link(numbers)

    def focus(self, scroll_visible: bool = True) -> WireList:
        """Focus the lines."""
        self._list.focus(scroll_visible)
        return self

    def on_segment_list_highlighted(self, event: SegmentList.Highlighted) -> None:
        """Tell it as this pane's own message, unless the cursor is on one that is held."""
        event.stop()
        if self.held.highlighted is None or not self.held.has_focus:
            self.post_message(self.SegmentHighlighted(event.segment))

    def on_segment_list_chosen(self, event: SegmentList.Chosen) -> None:
        """Tell it as this pane's own message."""
        event.stop()
        self.post_message(self.SegmentChosen(event.segment))

    # What is held

    def show_held(self, held: Sequence[HeldSegment], intercept: str = "") -> None:
        """Show what waits for a person, and remember by which filter."""
        self._intercept = intercept
        if tuple(held) == self.held.held:
            return
        had_focus = self.held.has_focus
        self.held.show(held, self.capture, self._dissector)
        if had_focus and not held:
            self._list.focus()
            self.post_message(self.SegmentHighlighted(self.highlighted))
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What concerns a held segment is there while there is one; editing and dropping while one is highlighted."""
        if action == "clear":
            return self._scan is not None
        if action not in ("want", "intercept"):
            return action != "filter" or not self._question.asking  # what is typed goes into the question
        if action == "intercept" or not self._live:
            return self._live
        if parameters[0] == "replay":
            return self.highlighted is not None or bool(self.held.held)
        return bool(self.held.held) and (parameters[0] not in ("edit", "drop") or self.held.has_focus)

    def _wanted_segment(self) -> Segment | None:
        """The held segment where those have the focus, else the one of the list; nothing where it has no bytes."""
        segment = self.held.segment if self.held.has_focus else self.highlighted
        return segment if segment is not None and (segment.data or segment.dropped) else None

    def action_want(self, what: str) -> None:
        """Tell what is wanted, and with which segment."""
        if what == "replay" and self._wanted_segment() is None:
            self.notify("this segment has no bytes that could be replayed", severity="warning", markup=False)
            return
        self.post_message(self.Wanted(what, held=self.held.highlighted, segment=self._wanted_segment()))

    def on_wire_list_refused(self, event: Refused) -> None:
        """Say why, beside the segments."""
        event.stop()
        self.notify(event.why, severity="warning", markup=False)

    def action_intercept(self) -> None:
        """Ask what to hold."""
        self._question.ask("intercept", "hold", self._intercept, _read_intercept)

    def on_held_list_highlighted(self, event: HeldList.Highlighted) -> None:
        """Its bytes are looked at."""
        event.stop()
        self.post_message(self.SegmentHighlighted(event.segment))

    def on_held_list_chosen(self, event: HeldList.Chosen) -> None:
        """Go to its bytes."""
        event.stop()
        if self.held.segment is not None:
            self.post_message(self.SegmentChosen(self.held.segment))

    def on_held_list_left(self, event: HeldList.Left) -> None:
        """Back to the segments that crossed."""
        event.stop()
        self._list.focus()
        self.post_message(self.SegmentHighlighted(self.highlighted))

    def on_segment_list_left(self, event: SegmentList.Left) -> None:
        """Down beyond the newest are those that are held."""
        event.stop()
        if self.held.held:
            self.held.focus()

    # The filter

    def action_filter(self) -> None:
        """Ask which segments to show."""
        self._scan_before = self._scan
        self._question.ask("filter", "filter", self._scan.text if self._scan else "", _read_filter)

    def filter(self, text: str) -> None:
        """Show only what the filter lets through; all with an empty text. `ValueError` says what is wrong."""
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

    def on_question_answered(self, event: Question.Answered) -> None:
        """The filter stands already; an export begins, or segments are held."""
        event.stop()
        if event.purpose == "intercept":
            self.post_message(self.Wanted("intercept", text=event.text))
        elif event.purpose == "export":
            chosen = list(self._list.rows.chosen())
            save_runs(self, Path(event.text).expanduser(), [s.data for s in chosen], f"{len(chosen)} segments")

    def on_question_left(self, event: Question.Left) -> None:
        """Esc restores the filter that stood before."""
        event.stop()
        if event.purpose == "filter":
            self._take(self._scan_before)

    # Export

    def action_export(self) -> None:
        """Ask for the file."""
        self._question.ask("export", "write bytes to", "", check_new_file)


_EXAMPLES = "'Hello' · -> · flow 2 · >100 · 0x4865 · fate · and or not ( )"


def _read_intercept(text: str) -> str:
    """How a filter for holding reads; `ValueError` says what is wrong."""
    parse(text)
    if text.strip():
        return "enter holds what matches, on a stream with all that follows"
    return f"{_EXAMPLES} · empty: no more"


def _read_filter(text: str) -> str:
    """How a filter reads; `ValueError` says what is wrong."""
    parse(text)
    return "enter keeps it, esc leaves what was shown before" if text.strip() else _EXAMPLES
