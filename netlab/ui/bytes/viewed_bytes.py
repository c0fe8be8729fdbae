"""The bytes of the buffer of a view that was chosen, what the view shows of them, and the element at the cursor."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial

from netlab.dissect.export import count_of_bytes
from netlab.dissect.text import safe
from netlab.lab.views.coverage import Coverage, cover
from netlab.lab.views.element_text import subscript, value_of
from netlab.lab.views.view_facts import BufferFacts, BufferKey, ViewFacts
from netlab.ui.bytes.byte_source import LentSource
from netlab.ui.bytes.covered import grid_row

_WIDEST_ROW = 16
"""Bytes of a grid's row that fit any usual pane."""

Lends = Callable[[BufferKey], AbstractContextManager[memoryview | None]]
"""Lends a buffer's bytes while the body runs."""


class ViewedBytes:
    """A view, or a whole buffer if ``view`` is None. It keeps no view: the buffer is lent for each look.

    Of a view of two dimensions only its own bytes are shown, so that each row of it is a line.
    """

    def __init__(self, lends: Lends, buffer: BufferFacts, view: ViewFacts | None) -> None:
        self.facts = buffer, view
        covered = cover(view) if view is not None else None
        self._from = covered.start if covered is not None and grid_row(covered) else 0
        end = covered.end if covered is not None and grid_row(covered) else buffer.nbytes
        self.source = LentSource(partial(lends, buffer.key), self._from, end)
        self.cover: Coverage | None = covered
        if covered is not None and self._from:
            self.cover = replace(covered, offset=covered.offset - self._from)
        self.name = safe(view.name if view is not None else next(iter(buffer.names), buffer.kind))

    @property
    def title(self) -> str:
        """What is shown, and what the signs mean; first what matters most, because a narrow pane cuts the end."""
        buffer, view = self.facts
        whole = f"{count_of_bytes(buffer.nbytes)} in {_article(buffer.kind)}"
        if view is None or self.cover is None:
            gone = ", released" if view is not None and view.released else ""
            return f"{self.name} ── {whole}{gone}"
        signs = [", · not shown"] if self.cover.nbytes < self.source.length else []
        signs += [", │ element"] if self.cover.itemsize > 1 else []
        signs += [", ║ row"] if grid_row(self.cover) > _WIDEST_ROW else []
        grid = f"{view.shape[0]:,} × {view.shape[1]:,}: " if grid_row(self.cover) else ""
        return f"{self.name} ── {grid}{view.nbytes:,} of {whole}{''.join(signs)}"

    def element_at(self, at: int) -> str:
        """The element at an offset: its index and value, and where it lies."""
        _, view = self.facts
        if self.cover is None or view is None:
            return ""
        element, place = self.cover.at(at), self._from + at
        if element is None:
            return f"{self.name} does not show byte {place:,}"
        value = value_of(self.cover.format, self.source.view(element.start, element.end))
        where = f" at {view.address + element.start - self.cover.offset:#x}" if view.address is not None else ""
        last = "" if self.cover.itemsize == 1 else f"–{self._from + element.end - 1:,}"
        first = f"byte{'s' * bool(last)} {self._from + element.start:,}"
        return f"{self.name}{subscript(element.index)} = {value} · {self.cover.format!r}, {first}{last}{where}"

    @property
    def first(self) -> int:
        """Where its first element lies among the shown bytes."""
        return self.cover.offset if self.cover is not None and self.cover.count else 0


def _article(kind: str) -> str:
    return f"{'an' if kind[:1] in 'aeiou' or kind == 'mmap' else 'a'} {kind}"
