"""What the wire changed in a segment: the bytes as they entered and as they left, and where they differ."""

from __future__ import annotations

from dataclasses import dataclass

from netlab.capture.model import Segment
from netlab.dissect.export import count_of_bytes
from netlab.ui.bytes.spans import Spans, changed_spans


@dataclass(frozen=True, slots=True)
class Diff:
    """A changed segment: the bytes that entered the wire, and those that left it."""

    entered: memoryview
    left: memoryview
    spans: Spans
    """Where the bytes that left differ, and those that were added."""

    @classmethod
    def of(cls, segment: Segment) -> Diff | None:
        """The segment's diff; None if the wire changed nothing."""
        if segment.original is None:
            return None
        return cls(segment.original, segment.data, changed_spans(segment.original, segment.data))

    def marks(self, entered: bool) -> Spans:
        """The spans to mark in one of the two."""
        return changed_spans(self.left, self.entered) if entered else self.spans

    @property
    def count(self) -> int:
        """How many bytes differ, including those that only one of the two has."""
        return self.spans.covered + max(len(self.entered) - len(self.left), 0)

    def title(self, entered: bool) -> str:
        """Which of the two is shown, and the key that shows the other."""
        if entered:
            return f"as it entered, {count_of_bytes(len(self.entered))}, changed * ── i: as it left"
        return f"as it left, {count_of_bytes(len(self.left))}, changed * ── i: as it entered"

    @property
    def remark(self) -> str:
        """The change as a sentence."""
        of = len(self.left) if len(self.left) == len(self.entered) else f"{len(self.entered)} → {len(self.left)}"
        said = f"the wire changed {self.count} of {of} bytes"
        first = self.spans.first
        if first is None or first.start >= len(self.entered):
            return said
        return f"{said}; the first at {first.start}: {self.entered[first.start]:02x} → {self.left[first.start]:02x}"
