"""Links console lines and segments: each follows the other's cursor, but only when the user moves that cursor."""

from __future__ import annotations

from collections.abc import Iterable

from netlab.capture.model import Segment
from netlab.lab.client.session import Session
from netlab.ui.console.transcript import Transcript
from netlab.ui.tab.panes import LabPanes


class CursorLinks:
    """Links a tab's transcript, wire and log."""

    def __init__(self, tab: LabPanes) -> None:
        self._tab = tab
        self._linked: list[int] = []

    def pointed(self, call: int | None) -> None:
        """The user selected a call: mark its segments, and go to the first one with bytes."""
        tab = self._tab
        session, capture = tab.lab.current, tab.lab.shown_capture
        numbers = session.attribution.segments_of(call, capture) if call and session and capture else []
        self._linked = numbers
        tab.wire.link(numbers)
        tab.log_pane.mark_client(session.local if call and session else None)
        if capture is not None and numbers:
            kept = (segment for number in numbers for segment in capture.segments[number - 1 : number])
            tab.wire.go_to(next((segment.number for segment in kept if segment.carries), numbers[0]))

    def follow(self) -> None:
        """Go from the call to its segments, or from a segment, its bytes or a field to the call."""
        tab = self._tab
        if tab.panes.pane_of(tab.screen.focused) == "console":
            self._to_segments(tab.console.transcript)
        else:
            self._to_call(tab.wire.highlighted)

    def _to_segments(self, transcript: Transcript) -> None:
        tab, seen = self._tab, self._tab.wire.highlighted
        call = transcript.pointed or transcript.last_call
        if transcript.pointed is None or seen is None or seen.number not in self._linked:
            transcript.reveal(call)
            self.pointed(call)
        if self._linked:
            tab.panes.go("wire")
        else:
            tab.notify("this call has no segments in the wire", severity="warning", markup=False)

    def _to_call(self, segment: Segment | None) -> None:
        tab, current = self._tab, self._tab.lab.current
        call = current.attribution.call_of(segment) if segment is not None and current is not None else None
        if call is None or current is None or segment is None:
            why = "no segment is selected" if segment is None else _whose(segment, tab.lab.sessions)
            tab.notify(why, severity="warning", markup=False)
            return
        tab.wire.pause()
        capture = tab.lab.shown_capture
        self._linked = current.attribution.segments_of(call, capture) if capture is not None else []
        tab.wire.link(self._linked)
        if tab.panes.whole:
            tab.panes.whole = "console"
        tab.console.transcript.reveal(call)
        tab.console.transcript.focus()

    def highlighted(self, segment: Segment | None) -> None:
        """The wire's cursor moved: mark the call that caused the segment, and the log lines about its client.

        While the wire follows the newest segment, nothing is marked.
        """
        tab = self._tab
        if segment is not None and segment.number in self._linked:
            return  # it belongs to the selected call
        self._linked = []
        asked = segment is not None and not tab.wire.following
        tab.wire.link([])
        tab.log_pane.mark_client(segment.flow.client if segment and asked else None)
        session = tab.lab.current
        call = session.attribution.call_of(segment) if segment and asked and session else None
        tab.console.transcript.point(call)


def _whose(segment: Segment, sessions: Iterable[Session]) -> str:
    """Why no call of the current client belongs to a segment."""
    other = next((one for one in sessions if one.attribution.call_of(segment) is not None), None)
    if other is None:
        return "no call in the console caused this segment"
    return f"a call of client {other.number} caused this segment; [ and ] go to other clients"
