"""Which bytes of a buffer a view shows, as a hex view marks them: its elements apart, and the bytes between them.

Elements of one byte stand apart anyway; of longer ones ``│`` marks the first byte. ``·`` marks a byte that the view
does not show. A view of two dimensions is a grid: each of its rows on a line.
"""

from __future__ import annotations

from netlab.lab.views.coverage import Coverage
from netlab.lab.views.element_text import subscript

NOT_SHOWN = "·"
_BEGINS = "│"


def elements_in(cover: Coverage, start: int, end: int) -> list[int]:
    """For each byte from ``start`` to ``end`` where its element begins, or -1 if the view does not show it."""
    found = [-1] * (end - start)
    for element in cover.elements(start, end):
        low, high = max(element.start, start), min(element.end, end)
        found[low - start : high - start] = [element.start] * (high - low)
    return found


def tints(cover: Coverage, start: int, end: int) -> list[int]:
    """For each byte -1 if the view does not show it, else 0 or 1, which tells neighbouring longer elements apart."""
    several = cover.itemsize > 1
    return [
        -1 if begins < 0 else (begins - cover.start) // cover.itemsize % 2 if several else 0
        for begins in elements_in(cover, start, end)
    ]


def signs(cover: Coverage, start: int, end: int) -> dict[int, str]:
    """The sign before each byte that has one, by its offset."""
    found = {}
    for at, begins in enumerate(elements_in(cover, start, end), start):
        if begins < 0:
            found[at] = NOT_SHOWN
        elif begins == at and cover.itemsize > 1:
            found[at] = _BEGINS
    return found


def grid_row(cover: Coverage) -> int:
    """The bytes from one row of a grid to the next; 0 if the view has not two dimensions."""
    return abs(cover.strides[0]) if len(cover.shape) == 2 and cover.count else 0


def row_label(cover: Coverage, start: int, room: int) -> str:
    """The index of the grid's row that begins at an offset, ``[3]``; empty if it is longer than ``room`` cells."""
    element = cover.at(start)
    label = subscript(element.index[:1]) if element is not None else ""
    return label if len(label) <= room else ""
