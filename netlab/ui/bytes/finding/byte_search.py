"""Searches a byte source without blocking the screen: small sources at once, large ones in a thread.

The thread checks after each block whether it was cancelled, so it ends with the search or with the app.
"""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message
from textual.widget import Widget
from textual.worker import Worker, get_current_worker

from netlab.dissect.search import find_bytes
from netlab.ui.bytes.byte_source import ByteSource

AT_ONCE = 1 << 22
"""Up to this many bytes are searched in the calling thread: a few milliseconds."""


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """What to look for, from where, which way."""

    source: ByteSource
    pattern: bytes
    start: int
    backward: bool = False

    def parts(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """The ranges to search: up to the end ahead, then the rest, from the other end."""
        length, overlap = self.source.length, len(self.pattern) - 1
        if self.backward:
            return (0, min(self.start + overlap, length)), (min(self.start, length), length)
        return (self.start, length), (0, min(self.start + overlap, length))

    def known(self, start: int, end: int) -> list[tuple[int, int]]:
        """The ranges without the gaps, whose zeros were never captured; in the search's order."""
        edges = [start, *(edge for gap in self.source.gaps(start, end) for edge in gap), end]
        ranges = [(low, high) for low, high in zip(edges[::2], edges[1::2], strict=True) if low < high]
        return ranges[::-1] if self.backward else ranges


class SearchEnded(Message):
    """A search ended: ``at`` is the offset of the match, or None. ``wrapped``: it continued past the end."""

    def __init__(self, sought: SearchRequest, at: int | None, wrapped: bool, cancelled: bool = False) -> None:
        super().__init__()
        self.sought, self.at, self.wrapped, self.cancelled = sought, at, wrapped, cancelled


class SearchProgressed(Message):
    """``percent`` of the bytes have been searched."""

    def __init__(self, percent: int) -> None:
        super().__init__()
        self.percent = percent


def _search(sought: SearchRequest, widget: Widget, worker: Worker[None] | None) -> SearchEnded:
    reported, done_before = 0, 0
    length = max(sought.source.length, 1)

    def go_on(done: int) -> bool:
        nonlocal reported
        percent = min(100 * (done_before + done) // length, 99)
        if worker is not None and percent > reported:
            reported = percent
            widget.post_message(SearchProgressed(percent))
        return worker is None or not worker.is_cancelled

    for wrapped, part in enumerate(sought.parts()):
        for start, end in sought.known(*part):
            at = find_bytes(sought.source, sought.pattern, start, end, backward=sought.backward, go_on=go_on)
            if at is not None:
                return SearchEnded(sought, at, bool(wrapped))
            if worker is not None and worker.is_cancelled:
                return SearchEnded(sought, None, False, cancelled=True)
            done_before += end - start
    return SearchEnded(sought, None, True)


def start_search(widget: Widget, sought: SearchRequest) -> Worker[None] | None:
    """Search; ``widget`` gets `SearchEnded`. Returns the worker of a large search, which can be cancelled."""
    if sought.source.length <= AT_ONCE:
        widget.post_message(_search(sought, widget, None))
        return None

    def work() -> None:
        widget.post_message(_search(sought, widget, get_current_worker()))

    return widget.run_worker(
        work, name="search bytes", group="search", thread=True, exclusive=True, exit_on_error=False
    )
