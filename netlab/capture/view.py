"""What the panes ask of a capture, so that they can be tried with one made by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from netlab.capture.model import Direction, Flow, Segment
from netlab.capture.stream import Chunk


class CapturedSegments(Protocol):
    """All segments of a lab, in order, decoded on demand. `netlab.capture.capture_file.Capture` is one."""

    @property
    def segments(self) -> Sequence[Segment]:
        """Every segment so far. The first of them may have been let go: `LetGo`."""

    @property
    def let_go(self) -> int:
        """How many of the oldest segments were let go."""

    @property
    def flows(self) -> Sequence[Flow]:
        """Every flow so far."""

    def stream(self, flow: Flow, way: Direction) -> Sequence[Chunk]:
        """What went one way in a flow, by position."""

    def numbers(self, flow: Flow, after: int = 0) -> Iterable[int]:
        """The numbers of a flow's segments behind number ``after``, in order; also of those that were dropped."""
