"""What Python knows of a buffer and of the views of it, as values. Nothing here holds a buffer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

BufferKey = NewType("BufferKey", int)
"""Names a buffer as long as it exists."""


@dataclass(frozen=True, slots=True)
class BufferFacts:
    """An object that owns bytes.

    ``kind`` is its type: ``bytearray``, ``array``, ``mmap``, ``bytes``. ``names`` are those by which a line reaches it.
    ``exports`` is how many exports it has, as CPython counts them; None where that cannot be known. The views that are
    known here account for ``at_least`` so many. ``address`` is None elsewhere than in CPython.
    ``readonly`` says that nothing can write to it.
    """

    key: BufferKey
    kind: str
    names: tuple[str, ...]
    address: int | None
    nbytes: int
    readonly: bool
    exports: int | None
    at_least: int

    @property
    def mapped_file(self) -> bool:
        """Whether it is a file that is mapped for reading, as a capture is."""
        return self.kind == "mmap" and self.readonly

    @property
    def exports_text(self) -> str:
        """``2``, or ``at least 1`` where the count is not known."""
        return f"at least {self.at_least}" if self.exports is None else str(self.exports)

    @property
    def unnamed(self) -> int:
        """How many of its exports no known view accounts for."""
        return 0 if self.exports is None else max(self.exports - self.at_least, 0)


@dataclass(frozen=True, slots=True)
class ViewFacts:
    """A memoryview: what it says of itself, and where its first element lies.

    ``kind`` is the type of the buffer, ``also`` are other names of the same view. ``export`` numbers the export that
    it holds: a slice of a view holds the same one. ``address`` and ``offset`` (within the buffer) are those of the
    element with the index 0, which is the last in memory if the step is negative; None elsewhere than in CPython.
    Of a released view only the names are known.
    """

    name: str
    kind: str = ""
    also: tuple[str, ...] = ()
    buffer: BufferKey | None = None
    export: int = 0
    address: int | None = None
    offset: int | None = None
    nbytes: int = 0
    itemsize: int = 0
    format: str = ""
    ndim: int = 0
    shape: tuple[int, ...] = ()
    strides: tuple[int, ...] = ()
    suboffsets: tuple[int, ...] = ()
    readonly: bool = False
    c_contiguous: bool = False
    released: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """A buffer, and the views of it in the order in which they were named.

    ``buffer`` is None for released views whose buffer is gone.
    """

    buffer: BufferFacts | None
    views: tuple[ViewFacts, ...]
