"""Which bytes of a buffer a view shows, as a hex view marks them: its elements apart, and the bytes between them.

Elements of one byte stand apart anyway; of longer ones ``│`` marks the first byte. ``·`` marks a byte that the view
does not show. A view of two dimensions is a grid: each of its rows on a line; if they are too long for that, ``║``
marks where each begins.
"""

from __future__ import annotations

from collections.abc import Sequence

from netlab.lab.views.coverage import Coverage
from netlab.lab.views.element_text import subscript

NOT_SHOWN = "·"
ROW = "║"
_BEGINS = "│"


def elements_in(cover: Coverage, start: int, end: int) -> list[int]:
    """For each byte from ``start`` to ``end`` where its element begins, or -1 if the view does not show it."""
    found = [-1] * (end - start)
    if len(cover.shape) != 1 and cover.has_gaps:
        for element in cover.elements(start, end):
            low, high = max(element.start, start), min(element.end, end)
            found[low - start : high - start] = [element.start] * (high - low)
        return found
    first, size = cover.start, cover.itemsize
    step = abs(cover.strides[0]) if cover.has_gaps else size
    for at in range(max(start, first), min(end, cover.end)):  # elements at equal distances: no search
        rest = (at - first) % step
        if rest < size:
            found[at - start] = at - rest
    return found


def tints(cover: Coverage, begins: Sequence[int]) -> list[int]:
    """For each byte of `elements_in` -1 if the view does not show it, else 0 or 1: longer neighbours differ."""
    if cover.itemsize == 1:
        return [min(begin, 0) for begin in begins]
    return [-1 if begin < 0 else (begin - cover.start) // cover.itemsize % 2 for begin in begins]


def signs(cover: Coverage, start: int, begins: Sequence[int], *, grid: bool = True) -> dict[int, str]:
    """The sign before each byte of `elements_in` that has one, by its offset; the first byte's is ``start``.

    Without a ``grid``, the rows of a view of two dimensions are marked as well.
    """
    row = 0 if grid else grid_row(cover)
    found = {}
    for at, begin in enumerate(begins, start):
        if begin < 0:
            found[at] = NOT_SHOWN
        elif begin == at and row and (begin - cover.start) % row == 0:
            found[at] = ROW
        elif begin == at and cover.itemsize > 1:
            found[at] = _BEGINS
    return found


def grid_row(cover: Coverage | None) -> int:
    """The bytes from one row of a grid to the next; 0 if there is no view of two dimensions."""
    return abs(cover.strides[0]) if cover is not None and len(cover.shape) == 2 and cover.count else 0


def row_label(grid: Coverage | None, start: int, room: int) -> str:
    """The index of the grid's row that begins at an offset, ``[3]``; without its brackets, or empty, if ``room`` cells
    are too few."""
    element = grid.at(start) if grid is not None else None
    label = subscript(element.index[:1]) if element is not None else ""
    return next((each for each in (label, label[1:-1]) if len(each) <= room), "")
