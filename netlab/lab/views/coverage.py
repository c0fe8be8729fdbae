"""Which bytes of a buffer a view shows, and which element each of them belongs to. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from netlab.lab.views.view_facts import ViewFacts


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a view: its first byte in the buffer, the byte after its last one, and its index."""

    start: int
    end: int
    index: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """The bytes of a buffer that a view shows. ``offset`` is where the element with the index 0 begins."""

    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    itemsize: int
    format: str

    @property
    def count(self) -> int:
        """How many elements it has."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """How many bytes it shows."""
        return self.count * self.itemsize

    @property
    def start(self) -> int:
        """The first byte of the buffer that it shows."""
        return self.offset + sum(min((n - 1) * step, 0) for n, step in self._axes) if self.count else self.offset

    @property
    def end(self) -> int:
        """The byte after the last one that it shows."""
        last = self.offset + sum(max((n - 1) * step, 0) for n, step in self._axes)
        return last + self.itemsize if self.count else self.offset

    @property
    def has_gaps(self) -> bool:
        """Whether it leaves out bytes between its first and its last one."""
        return self.end - self.start > self.nbytes

    def element(self, index: tuple[int, ...]) -> Element:
        """The element at an index, all of whose numbers count from 0. Raises `IndexError`."""
        if len(index) != len(self.shape) or not all(0 <= i < n for i, n in zip(index, self.shape, strict=True)):
            raise IndexError(f"no element {index} in a view of the shape {self.shape}")
        start = self.offset + sum(i * step for i, step in zip(index, self.strides, strict=True))
        return Element(start, start + self.itemsize, index)

    def at(self, byte: int) -> Element | None:
        """The element that a byte of the buffer belongs to; None if the view does not show it."""
        if not self.start <= byte < self.end:
            return None
        rest, index = byte - self.start, [0] * len(self.shape)
        for axis in sorted(range(len(self.shape)), key=lambda axis: -abs(self.strides[axis])):
            n, step = self.shape[axis], self.strides[axis]
            steps = min(rest // abs(step), n - 1) if step else 0
            rest -= steps * abs(step)
            index[axis] = steps if step >= 0 else n - 1 - steps
        return Element(byte - rest, byte - rest + self.itemsize, tuple(index)) if rest < self.itemsize else None

    def elements(self, start: int, end: int) -> Iterator[Element]:
        """The elements of which bytes lie from ``start`` to ``end``, in the order of memory.

        Looks at each byte of a gap, so ask for what fits on a screen.
        """
        byte, end = max(start, self.start), min(end, self.end)
        while byte < end:
            found = self.at(byte)
            if found is not None:
                yield found
            byte = found.end if found is not None else byte + 1

    @property
    def _axes(self) -> Iterator[tuple[int, int]]:
        return zip(self.shape, self.strides, strict=True)


def cover(view: ViewFacts) -> Coverage | None:
    """What a view shows of its buffer; None if that is not known, or if it was released."""
    if view.offset is None or view.released or any(each >= 0 for each in view.suboffsets):
        return None
    return Coverage(view.offset, view.shape, view.strides, view.itemsize, view.format)
