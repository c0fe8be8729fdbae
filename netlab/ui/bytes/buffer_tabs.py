"""Which bytes a pane shows: those that were captured, or one of the buffers that were derived from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netlab.dissect.export import count_of_bytes
from netlab.dissect.fields import Derived, Field
from netlab.dissect.text import safe
from netlab.ui.bytes.byte_source import ByteSource, ViewSource
from netlab.ui.bytes.fields.derived_buffers import Root, roots_by_buffer, titles
from netlab.ui.bytes.spans import Spans, spans_in


@dataclass(frozen=True, slots=True)
class OwnBytes:
    """The captured bytes, and how they are shown."""

    source: ByteSource
    title: str = ""
    chunks: bool = False
    marks: Spans | None = None


class BufferTabs:
    """The tabs of a pane: its own bytes, then each derived buffer of their fields."""

    def __init__(self) -> None:
        self.own = OwnBytes(ViewSource())
        self.shown = 0
        """Which tab is shown: 0 is the captured bytes."""
        self.own_cursor = 0
        """The cursor in the captured bytes, while another tab is shown."""
        self._buffers: list[tuple[Derived, list[Root]]] = []
        self._titles: list[str] = []

    def take(self, fields: Sequence[Field]) -> bool:
        """Take the buffers of other fields; whether the shown tab is gone, or holds other bytes now."""
        before = self._buffers[self.shown - 1][0] if self.shown else None
        self._buffers = roots_by_buffer(fields)
        self._titles = titles(buffer for buffer, _ in self._buffers)
        if self.shown > len(self._buffers):
            self.shown = 0
        return before is not None and (not self.shown or self._buffers[self.shown - 1][0] is not before)

    def __len__(self) -> int:
        return len(self._buffers)

    @property
    def roots(self) -> Sequence[Root]:
        """The fields that lie in the shown buffer; none for the captured bytes."""
        return self._buffers[self.shown - 1][1] if self.shown else ()

    @property
    def spans(self) -> Spans:
        """Their leaves."""
        return spans_in(root.field for root in self.roots)

    def index_of(self, buffer: Derived | None) -> int:
        """The tab of a buffer; 0 if it has none."""
        return next((index for index, (each, _) in enumerate(self._buffers, 1) if each is buffer), 0)

    @property
    def next_name(self) -> str:
        """What the next tab is called."""
        after = (self.shown + 1) % (len(self) + 1)
        return safe(self._titles[after - 1]) if after else "captured bytes"

    def bytes_of_shown(self) -> OwnBytes:
        """What the shown tab shows."""
        if not self.shown:
            return self.own
        buffer = self._buffers[self.shown - 1][0]
        cut = f", {count_of_bytes(buffer.cut)} more not kept" if buffer.cut else ""
        size = count_of_bytes(len(buffer.data))
        title = f"{safe(self._titles[self.shown - 1])} ── {size}{cut}, from {count_of_bytes(buffer.came_from)}"
        return OwnBytes(ViewSource(memoryview(buffer.data)), title)
