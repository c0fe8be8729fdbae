"""The picture of a flow: what happened between client and server, as rows that fold.

It follows the wire's cursor and new traffic while the user is elsewhere; while the user is here, it stays with its
flow, and only grows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from netlab.capture.model import Segment
from netlab.capture.view import CapturedSegments
from netlab.dissect.picture import Picture
from netlab.dissect.reading.meanings import How
from netlab.dissect.text import safe
from netlab.ui.keys.hints import follow_keys, hint
from netlab.ui.picture.drawn_flow import Drawing, DrawnFlow, FactsOf, no_facts
from netlab.ui.picture.picture_view import PictureView
from netlab.ui.widgets.closing import PaneClosed
from netlab.ui.widgets.find_bar import FindBar, find_keys

_NOTHING = "The picture of the selected segment's flow appears here."
_EMPTY = "There is nothing to draw of this flow yet."


class PicturePane(Vertical):
    """The picture of the flow of the segment under the wire's cursor."""

    DEFAULT_CSS = """
    PicturePane {
        height: 1fr; background: $background; border-top: solid $foreground 30%; border-title-color: $foreground;
        padding: 0 1;
        &:focus-within { border-top: heavy $accent; border-title-style: bold; }
        #picture-note { height: auto; max-height: 2; color: $text-muted; }
        Question { dock: bottom; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,L", "segment", "segment", id="picture.segment", tooltip="Go to this row's segment in the wire"),
        Binding("t", "next_picture", "next picture", id="picture.next",
                tooltip="Go on to the flow's next picture: the most special comes first"),
        *find_keys("picture"),
        Binding("escape", "close", "close", id="picture.close", tooltip="Close the picture"),
    ]  # fmt: skip

    @dataclass
    class RowHighlighted(Message):
        """The user went to a row about this segment."""

        segment: int

    @dataclass
    class SegmentWanted(Message):
        """The user wants to see this segment in the wire."""

        segment: int

    @dataclass
    class Drawn(Message):
        """A job is done."""

        job: Drawing

    def __init__(self, facts_of: FactsOf = no_facts) -> None:
        super().__init__(id="picture")
        self._drawn = DrawnFlow(facts_of)
        self._view = PictureView()
        self._view.empty = _NOTHING
        self._note = Static("", id="picture-note", markup=False)
        self._find = FindBar(self._view.search, self._view)
        self._segment: Segment | None = None
        self._source: tuple[CapturedSegments | None, How] = None, None
        self._chosen = 0
        self._shown = Picture("", ())

    def compose(self) -> ComposeResult:
        """The note, the rows, the question."""
        yield self._note
        yield self._view
        yield self._find

    def on_mount(self) -> None:
        """Name keys in the title only while they work."""
        follow_keys(self, self._update_title)
        self._update_title()

    def on_unmount(self) -> None:
        """Read no more."""
        self._drawn.cancel()

    @property
    def view(self) -> PictureView:
        """The rows."""
        return self._view

    @property
    def picture(self) -> Picture:
        """The picture that is shown."""
        return self._shown

    # Which flow

    def follow(self, segment: Segment | None, capture: CapturedSegments | None, how: How) -> None:
        """The wire's cursor is on this segment. While the user is in this pane, it keeps its flow."""
        self._segment, self._source = segment, (capture, how)
        self._take_up()

    def _take_up(self) -> None:
        """Show the flow under the wire's cursor, unless the user looks at this one."""
        segment, (capture, how) = self._segment, self._source
        if segment is not None and not segment.number:  # held: it is no part of the capture yet
            return
        flow = segment.flow if segment is not None else None
        mine = self._drawn.flow
        if self._busy and mine is not None and capture is self._capture:
            self._drawn.want(mine, capture, how)
            return
        self._capture = capture
        if self._drawn.want(flow, capture, how):
            self._chosen = 0
            self._shown = Picture("", ())
            self._put(fresh=True)
        if segment is not None:
            self._view.point(segment.number)

    _capture: CapturedSegments | None = None

    @property
    def _busy(self) -> bool:
        """Whether the user is in this pane."""
        focused = self.screen.focused if self.is_attached else None
        return focused is not None and self in focused.ancestors_with_self

    def on_descendant_blur(self) -> None:
        """The user leaves: follow the wire's cursor again."""
        self.call_after_refresh(self._left)

    def _left(self) -> None:
        if self.is_attached and not self._busy:
            self._take_up()

    # Drawing

    def look(self) -> None:
        """Draw what is new; call it often."""
        if not self._view.size.width:
            return
        job = self._drawn.next_job(self._view.rows.room(0))
        if job is not None:
            self.run_worker(partial(self._work, job), group="picture", thread=True, exit_on_error=False)

    def _work(self, job: Drawing) -> None:
        job.run()
        self.post_message(self.Drawn(job))

    def on_picture_pane_drawn(self, event: Drawn) -> None:
        """Show it, unless another flow is wanted by now."""
        event.stop()
        if self._drawn.done(event.job):
            self._put()
        if event.job.more:
            self.look()

    def _put(self, *, fresh: bool = False) -> None:
        pictures = self._drawn.pictures
        self._chosen = min(self._chosen, max(len(pictures) - 1, 0))
        first = not self._shown.title
        if self._drawn.progress == 1.0 or fresh:
            self._shown = pictures[self._chosen] if pictures else Picture("", ())
        self._view.empty = self._why_empty
        self._view.show(self._shown, fresh=fresh)
        self._say(self._shown.note)
        self._update_title()
        if first and self._shown.title and self._segment is not None:
            self._view.point(self._segment.number)

    @property
    def _why_empty(self) -> str:
        if self._drawn.flow is None:
            return _NOTHING
        return "" if self._drawn.progress < 1.0 or self._shown.note else _EMPTY

    def _say(self, note: str) -> None:
        text = safe(note)
        self._note.display = bool(text)
        if str(self._note.content) != text:
            self._note.update(Content(text))

    def _update_title(self) -> None:
        flow, pictures = self._drawn.flow, self._drawn.pictures
        words = ["picture"]
        if flow is not None:
            words.append(
                f"{safe(self._shown.title)}, flow {flow.number}" if self._shown.title else f"flow {flow.number}"
            )
        if flow is not None and self._drawn.progress < 1.0:
            words.append(f"reading, {self._drawn.progress:.0%}")
        if len(pictures) > 1:
            keys = hint(self, ("next_picture", "goes on"))
            words.append(f"{self._chosen + 1} of {len(pictures)}" + (f", {keys}" if keys else ""))
        title = " ── ".join(words)
        if title != self.border_title:
            self.border_title = title

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What depends on the row, on other pictures, or on a search."""
        if action == "segment":
            row = self._view.highlighted
            return (row is not None and bool(row.segment)) or None
        if action == "next_picture":
            return len(self._drawn.pictures) > 1 or None
        if action == "find":
            return not self._find.asking
        if action in ("find_next", "clear"):
            return self._find.searching
        return True

    def on_picture_view_row_highlighted(self, event: PictureView.RowHighlighted) -> None:
        """Let the wire's cursor go there, too."""
        event.stop()
        if event.row.segment:
            self.post_message(self.RowHighlighted(event.row.segment))

    def action_segment(self) -> None:
        """Go to the row's segment."""
        row = self._view.highlighted
        if row is not None and row.segment:
            self.post_message(self.SegmentWanted(row.segment))

    def action_next_picture(self) -> None:
        """Go on to the flow's next picture; after the last, to the first."""
        pictures = self._drawn.pictures
        if len(pictures) > 1:
            self._chosen = (self._chosen + 1) % len(pictures)
            self._put(fresh=True)
            self.refresh_bindings()

    def action_find(self) -> None:
        """Ask for a text to find."""
        self._find.find()

    def action_find_next(self, step: int) -> None:
        """Go to the next match, or the previous one."""
        self._find.go_on(step)

    def action_clear(self) -> None:
        """Remove the search marks."""
        self._find.clear()

    def action_close(self) -> None:
        """Close the picture."""
        self.post_message(PaneClosed(self))
