"""The console line and its segments: each follows the other's cursor. Neither is moved while nobody moves the other."""

from __future__ import annotations

from collections.abc import Iterable

from netlab.capture.model import Segment
from netlab.lab.client.session import Session
from netlab.ui.console.transcript import Transcript
from netlab.ui.tab.panes import LabPanes


class Links:
    """Joins a bench's transcript, wire and log."""

    def __init__(self, bench: LabPanes) -> None:
        self._bench = bench
        self._linked: list[int] = []

    def pointed(self, call: int | None) -> None:
        """The person points at a call: mark its segments, and go to the first of them that has bytes."""
        bench = self._bench
        session, capture = bench.lab.current, bench.lab.shown_capture
        numbers = session.attribution.segments_of(call, capture) if call and session and capture else []
        self._linked = numbers
        bench.wire.link(numbers)
        bench.log_pane.tell_about(session.local if call and session else None)
        if capture is not None and numbers:
            with_bytes = (number for number in numbers if capture.segments[number - 1].carries)
            bench.wire.go_to(next(with_bytes, numbers[0]))

    def follow(self) -> None:
        """Go from the call to its segments, or from the segment, its bytes and its field to the call."""
        bench = self._bench
        if bench.panes.pane_of(bench.screen.focused) == "console":
            self._to_segments(bench.console.transcript)
        else:
            self._to_call(bench.wire.highlighted)

    def _to_segments(self, transcript: Transcript) -> None:
        bench, seen = self._bench, self._bench.wire.highlighted
        call = transcript.pointed or transcript.last_call
        if transcript.pointed is None or seen is None or seen.number not in self._linked:
            transcript.reveal(call)
            self.pointed(call)
        if self._linked:
            bench.panes.go("wire")
        else:
            bench.notify("no segment of this call is in the wire", severity="warning", markup=False)

    def _to_call(self, segment: Segment | None) -> None:
        bench, current = self._bench, self._bench.lab.current
        call = current.attribution.call_of(segment) if segment is not None and current is not None else None
        if call is None or current is None or segment is None:
            why = "there is no segment" if segment is None else _whose(segment, bench.lab.sessions)
            bench.notify(why, severity="warning", markup=False)
            return
        bench.wire.hold()
        capture = bench.lab.shown_capture
        self._linked = current.attribution.segments_of(call, capture) if capture is not None else []
        bench.wire.link(self._linked)
        if bench.panes.whole:
            bench.panes.whole = "console"
        bench.console.transcript.reveal(call)
        bench.console.transcript.focus()

    def highlighted(self, segment: Segment | None) -> None:
        """The wire's cursor moved: mark the call that caused the segment, and what the log says of its client.

        While the newest is followed nothing is marked: nobody asked.
        """
        bench = self._bench
        if segment is not None and segment.number in self._linked:
            return  # of the call that is pointed at
        self._linked = []
        asked = segment is not None and not bench.wire.following
        bench.wire.link([])
        bench.log_pane.tell_about(segment.flow.client if segment and asked else None)
        session = bench.lab.current
        call = session.attribution.call_of(segment) if segment and asked and session else None
        bench.console.transcript.point(call)


def _whose(segment: Segment, sessions: Iterable[Session]) -> str:
    """Why no call of the current client goes with a segment."""
    other = next((one for one in sessions if one.attribution.call_of(segment) is not None), None)
    if other is None:
        return "no call in the console caused this segment"
    return f"a call of client {other.number} caused this segment: [ and ] go to other clients"
