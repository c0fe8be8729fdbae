"""The wire pane: the segments of a capture, and what can be asked of them: a filter, an export.

`SegmentList` draws the lines; this pane holds it and the question at its foot.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message

from netlab.capture.filter import parse
from netlab.capture.model import Segment
from netlab.dissect.fields import Dissector
from netlab.ui.captured import Captured
from netlab.ui.question import Question
from netlab.ui.saving import check_new_file, save_runs
from netlab.ui.segment_list import SegmentList
from netlab.ui.wire_filter import FilterScan

_SCAN_SECONDS = 0.006
"""A filter may take this much of each tick: a frame at 60 a second has 16 ms."""


class WireList(Vertical):
    """Every segment of a capture, one a line, newest last, followed unless the person moved."""

    DEFAULT_CSS = """
    WireList { height: 1fr; }
    WireList SegmentList { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "filter", id="wire.filter_here",
                tooltip="Show only segments that match: flow, direction, size, text or bytes"),
        Binding("w", "export", "write bytes", id="wire.export", show=False,
                tooltip="Write the bytes of the marked, else the shown segments to a file"),
    ]  # fmt: skip

    @dataclass
    class SegmentHighlighted(Message):
        """The cursor stands on another segment (None: there is none)."""

        segment: Segment | None

    @dataclass
    class SegmentChosen(Message):
        """Enter was pressed on a segment: the person wants its bytes."""

        segment: Segment

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._list = SegmentList()
        self._question = Question()
        self._scan: FilterScan | None = None

    def compose(self) -> ComposeResult:
        """The lines, and the question below."""
        yield self._list
        yield self._question

    def on_mount(self) -> None:
        """Look at more segments for the filter while there are any."""
        self.set_interval(1 / 50, self._go_on_scanning)

    # What is shown

    @property
    def capture(self) -> Captured | None:
        """The capture that is shown."""
        return self._list.capture

    @property
    def highlighted(self) -> Segment | None:
        """The segment that the cursor stands on."""
        return self._list.highlighted

    @property
    def following(self) -> bool:
        """Whether the newest segment is followed."""
        return self._list.following

    def show(self, capture: Captured | None, dissector: Dissector | None = None) -> None:
        """Show another capture (None: nothing yet), without a filter, from its newest segment on.

        With a dissector, its summary is what a line says, else a preview of the text.
        """
        self._scan = None
        self._list.show(capture, dissector)

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
        """Tell it as this pane's own message."""
        event.stop()
        self.post_message(self.SegmentHighlighted(event.segment))

    def on_segment_list_chosen(self, event: SegmentList.Chosen) -> None:
        """Tell it as this pane's own message."""
        event.stop()
        self.post_message(self.SegmentChosen(event.segment))

    # The filter

    def action_filter(self) -> None:
        """Ask which segments to show."""
        self._question.ask("filter", "filter", self._scan.text if self._scan else "", _read_filter)

    def filter(self, text: str) -> None:
        """Show only what the filter lets through; all with an empty text. `ValueError` says what is wrong."""
        if not text.strip() or self.capture is None:
            self._scan = None
            self._list.show_rows(None)
            return
        self._scan = FilterScan(self.capture, parse(text).matches, text)
        self._scan.step(_SCAN_SECONDS)
        self._list.show_rows(self._scan.rows, self._scan.counts)

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
        """The filter stands already; an export begins."""
        event.stop()
        if event.purpose == "export":
            chosen = list(self._chosen())
            save_runs(self, Path(event.text).expanduser(), [s.data for s in chosen], f"{len(chosen)} segments")

    def on_question_left(self, event: Question.Left) -> None:
        """Escape takes the filter away."""
        event.stop()
        if event.purpose == "filter":
            self.filter("")

    # Export

    def action_export(self) -> None:
        """Ask for the file."""
        self._question.ask("export", "write bytes to", "", check_new_file)

    def _chosen(self) -> Iterable[Segment]:
        """The marked segments, else those shown."""
        if self.capture is not None and self._list.marks:
            return [self.capture.segments[number - 1] for number in sorted(self._list.marks)]
        return filter(None, map(self._list.segment_at, range(self._list.row_count)))


def _read_filter(text: str) -> str:
    """How a filter reads; `ValueError` says what is wrong."""
    parse(text)
    return (
        "enter keeps it, esc takes it away"
        if text.strip()
        else "hello · → · flow 2 · >100 · 0x48 65 · fate · not … or …"
    )
