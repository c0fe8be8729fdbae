"""Waiting for what crosses a wire: a search that goes on where it stopped, and what to say when nothing came."""

from __future__ import annotations

from typing import Final

from netlab.api.segments_so_far import SegmentsSoFar, line
from netlab.api.wire_errors import WireError, WireTimeout
from netlab.api.wire_run import WireRun
from netlab.capture.filter import FilterError, parse
from netlab.capture.model import Segment
from netlab.dissect.text import safe

PATIENCE: Final = 10.0
"""Seconds that a program waits unless it says otherwise."""
LOOK_AGAIN: Final = 0.05
"""Seconds after which a condition is tried again if nothing crossed: it may be about something else."""
FILTERS: Final = "as in \"-> 'PING'\", 'flow 2 and not (open or fin)', '<- >100' or '0x4865'"
_LAST: Final = 5


class SegmentSearch:
    """Looks for a segment that matches a filter, behind the segment numbered ``after``. Raises `WireError`."""

    def __init__(self, run: WireRun, text: str, after: int) -> None:
        try:
            self._matches = parse(text).matches
        except FilterError as error:
            raise WireError(safe(str(error)), FILTERS) from None
        self._run, self._last = run, after

    def __call__(self) -> Segment | None:
        """The first match among what is new since the last call."""
        segments = SegmentsSoFar(self._run.capture)
        for segment in segments.behind(self._last):
            self._last = segment.number
            if self._matches(segment):
                return segment
        return None


def too_late(run: WireRun, what: object, timeout: float) -> WireTimeout:
    """What was waited for did not come; with the last segments that did."""
    segments = SegmentsSoFar(run.capture)
    missed = f"no segment matched {what!r}" if isinstance(what, str) else "the condition did not come true"
    note = f" ({run.note})" if run.note else ""
    problem = f"{missed} within {timeout:g} s{note}"
    if not segments:
        return WireTimeout(f"{problem}; nothing crossed", f"did a client connect to {run.address}?")
    last = "".join(f"\n{line(segment)}" for segment in segments[-_LAST:])
    return WireTimeout(f"{problem}; {len(segments)} segments crossed, at last:{last}")
