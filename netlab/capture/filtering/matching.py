"""Which segments of a capture a filter means: by the capture's index, if it has one."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from netlab.capture.capture_file import Capture
from netlab.capture.filtering.terms import Term
from netlab.capture.model import LetGo
from netlab.capture.view import CapturedSegments


def matching(capture: CapturedSegments, wanted: Term, start: int, stop: int) -> Sequence[int]:
    """The indices of the segments that are meant, from index ``start`` up to ``stop``. Safe in any thread."""
    if isinstance(capture, Capture):
        return capture.matching(wanted, start, stop)
    found, segments = [], capture.segments
    for index in range(max(start, capture.let_go), stop):
        with suppress(LetGo):
            if wanted.matches(segments[index]):
                found.append(index)
    return found
