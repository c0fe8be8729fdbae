"""The console line and its segments: each follows the other's cursor. Neither is moved while nobody moves the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netlab.capture.model import Kind, Segment

if TYPE_CHECKING:
    from netlab.ui.bench import BenchPane


class Links:
    """Joins a bench's transcript, wire and log."""

    def __init__(self, bench: BenchPane) -> None:
        self._bench = bench
        self._linked: list[int] = []

    def pointed(self, call: int | None) -> None:
        """The person points at a call: mark its segments, and go to the first of them that has bytes."""
        bench = self._bench
        session, capture = bench.lab.current, bench.lab.shown_capture
        numbers = session.crossings.segments_of(call, capture) if call and session and capture else []
        self._linked = numbers
        bench.wire.link(numbers)
        bench.log_pane.tell_about(session.local if call and session else None)
        if capture is not None and numbers:
            with_bytes = (number for number in numbers if capture.segments[number - 1].kind is Kind.DATA)
            bench.wire.go_to(next(with_bytes, numbers[0]))

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
        call = session.crossings.call_of(segment) if segment and asked and session else None
        bench.console.transcript.point(call)
