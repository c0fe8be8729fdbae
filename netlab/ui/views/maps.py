"""Which bytes of its buffer a view shows, drawn in one line, and the values that it shows. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from netlab.lab.views.coverage import Coverage
from netlab.lab.views.element_text import value_of
from netlab.lab.views.view_facts import BufferKey

SHOWN, PARTLY, NOT_SHOWN = "█", "▒", "·"
LEGEND = f"{SHOWN} shows  {PARTLY} some of it  {NOT_SHOWN} does not show"
_EXACT = 64
"""Up to so many bytes of one cell are looked at one by one."""
_MOST_VALUES = 64

Lends = Callable[[BufferKey], AbstractContextManager[memoryview | None]]
"""Lends a buffer's bytes while the body runs."""


def map_of(covered: Coverage, nbytes: int, width: int) -> str:
    """Which bytes of a buffer of ``nbytes`` a view shows, in at most ``width`` cells of 1, 2, 4 … bytes each."""
    each = 1 << (max(-(-nbytes // width), 1) - 1).bit_length()
    return "".join(_cell(covered, at, min(at + each, nbytes)) for at in range(0, nbytes, each))


def _cell(covered: Coverage, start: int, end: int) -> str:
    low, high = max(start, covered.start), min(end, covered.end)
    if low >= high:
        return NOT_SHOWN
    if not covered.has_gaps:
        return SHOWN if (low, high) == (start, end) else PARTLY
    if end - start > _EXACT:
        return PARTLY
    shown = sum(min(each.end, end) - max(each.start, start) for each in covered.elements(start, end))
    return SHOWN if shown == end - start else PARTLY if shown else NOT_SHOWN


def values_of(covered: Coverage, lent: memoryview, width: int) -> str:
    """The first values that a view shows, as Python writes them: as ``bytes`` if it shows bytes in one dimension."""
    if covered.format == "B" and len(covered.shape) == 1:
        return _bytes_text(_shown_bytes(covered, lent, width), covered.nbytes, width)
    if not covered.shape:
        return _value(covered, (), lent)
    text = ""
    for piece in _listed(covered, lent):
        text += piece
        if len(text) > width:
            break
    return text if len(text) <= width else f"{text[: max(width - 1, 0)]}…"


def _shown_bytes(covered: Coverage, lent: memoryview, most: int) -> bytes:
    step, count = covered.strides[0], min(covered.count, most)
    return bytes(lent[covered.offset + at * step] for at in range(count))


def _bytes_text(head: bytes, nbytes: int, width: int) -> str:
    text = repr(head)
    while head and len(text) + (len(head) < nbytes) > width:
        head = head[:-1]
        text = repr(head)
    return f"{text}…" if len(head) < nbytes else text


def _listed(covered: Coverage, lent: memoryview) -> Iterator[str]:
    """The pieces of a nested list, as far as a line may need them."""
    last = len(covered.shape) - 1
    left = _MOST_VALUES

    def inside(index: tuple[int, ...]) -> Iterator[str]:
        nonlocal left
        yield "["
        for at in range(covered.shape[len(index)]):
            if left <= 0:
                return
            yield ", " if at else ""
            if len(index) == last:
                left -= 1
                yield _value(covered, (*index, at), lent)
            else:
                yield from inside((*index, at))
        yield "]"

    yield from inside(())


def _value(covered: Coverage, index: tuple[int, ...], lent: memoryview) -> str:
    element = covered.element(index)
    return value_of(covered.format, lent[element.start : element.end])
