"""One file of a capture, mapped, with the index of its segments. Knows nothing of the other files.

Rows are counted in the whole capture; ``first`` is the row of the file's first segment. What is in an index never
changes, it only grows, so other threads may look while one reads.
"""

from __future__ import annotations

import os
import sys
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from heapq import merge
from itertools import chain, islice
from struct import error as StructError  # noqa: N812 - a class, as its name says here

from netlab.capture.conversations import direction, kind_of
from netlab.capture.files.checkpoint import Checkpoint
from netlab.capture.files.destination import CaptureFile
from netlab.capture.files.file_memory import WINDOW, CopiedFile, FileMemory, MappedFile
from netlab.capture.files.frame_indexer import FrameIndexer, SharedReading
from netlab.capture.files.pcap import MAGICS, Pcap
from netlab.capture.files.pcapng import Container, Frame, Pcapng
from netlab.capture.files.row_search import RowSearch
from netlab.capture.files.segment_index import SegmentIndex
from netlab.capture.filtering.terms import Term
from netlab.capture.frames.fragments import Whole
from netlab.capture.frames.packets import Fragment, Packet, read_packet
from netlab.capture.model import CaptureError, Kind, LetGo, Outcome, Segment

_PCAPNG_MAGIC = b"\n\r\r\n"
_PACKED = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\xfd7zXZ", "xz"),
    (b"BZh", "bzip2"),
)
_NOT_THE_SAME = CaptureError, LookupError, StructError
"""What reading a block raises if the file was replaced."""
PREFIX = 24
"""Bytes that show the format: a pcap header, or the beginning of a section header."""


class Part:
    """A file that may still grow. Raises `OSError` if it cannot be opened.

    Views that were handed out stay valid when the file is removed, or closed here: the memory goes with the last.
    """

    def __init__(self, file: CaptureFile, reading: SharedReading, *, others: bool = False) -> None:
        """``others`` may cut the file short at any time: then it is copied where it is looked at, and not mapped."""
        self.start, self.first = file.start, 0
        self.container: Container | None = None
        self._file = open(file.path, "rb", buffering=0)  # noqa: PTH123, SIM115 - kept open, and a string as announced
        weakref.finalize(self, self._file.close)  # a lab's capture can be looked at after its end; nobody closes it
        self._reading = reading
        copied = others and sys.platform != "win32"  # nobody can cut short what is mapped there
        self._memory: FileMemory = CopiedFile(self._file) if copied else MappedFile(self._file)
        self.changed = False
        """Whether something that was read has been found to be no longer there."""
        self._begun = False
        self._whole: dict[int, Whole] = {}  # of the segments, by their index here: those that came in fragments
        self._index = SegmentIndex()

    def __len__(self) -> int:
        return len(self._index)

    @property
    def stop(self) -> int:
        """The row behind its last segment."""
        return self.first + len(self._index)

    @property
    def size(self) -> int:
        """The file's length in bytes as it stands now."""
        return os.fstat(self._file.fileno()).st_size

    @property
    def position(self) -> int:
        """How much was read, in bytes."""
        return self.container.position if self.container else 0

    @property
    def routes(self) -> frozenset[int]:
        """The routes of its segments."""
        return self._index.all_routes

    def map(self, length: int) -> bool:
        """Map the file as it stands if what is mapped is too short; False if it does not show its format yet.

        Raises `OSError` if that fails, and `CaptureError` for another format.
        """
        self._memory.reach(length)
        if self.container is None and length >= PREFIX and (view := self._memory.look(0, PREFIX)) is not None:
            self.container = container_of(view[:length])
        return self.container is not None

    def read(self, length: int, at_most: int | None, begin: Callable[[Part, Checkpoint | None], None]) -> int:
        """Read on up to ``length`` bytes, ``at_most`` so many packets; how many were looked at.

        ``begin`` is called before the first: it sets `first`. Raises `CaptureError` if the file is damaged.
        """
        container = self.container
        assert container is not None  # it is mapped
        frames: Iterator[Frame] = islice(self._memory.frames(container, length), at_most)
        if self._begun:
            return self._index_frames(container, frames)
        head = next(frames, None)
        if head is None:
            return 0
        self._begun = True
        begin(self, container.checkpoint)
        return self._index_frames(container, chain((head,), frames))

    def _index_frames(self, container: Container, frames: Iterable[Frame]) -> int:
        """Add the segments among these frames to the index; how many packets were looked at."""
        indexer = FrameIndexer(container, self._memory, self._reading, self._index, self._whole, self._piece)
        return indexer.read(frames)

    def _packet(self, index: int) -> tuple[Packet, memoryview]:
        """The headers of a segment and what was kept of its payload."""
        whole = self._whole.get(index)
        assert self.container is not None  # there are rows
        packet: Packet | Fragment | str
        if whole is not None:
            packet, view = whole.packet(self._piece)
            end = len(view)
        else:
            view = self._around(index)
            try:
                _, link, start, end, on_link, _ = self.container.frame(view, self._index.places[index])
            except _NOT_THE_SAME:
                raise self._gone(index) from None
            packet = read_packet(view, link, start, end, on_link)
        if not isinstance(packet, tuple):  # it was understood when it was indexed
            raise self._gone(index)
        payload, length = packet[4], packet[5]
        return packet, self._memory.kept(view[payload : max(payload, min(payload + length, end))])

    def _piece(self, begin: int, end: int) -> memoryview:
        """The file's bytes there. Raises `LetGo` if it was cut short."""
        view = self._memory.look(begin, end)
        if view is None:
            self.changed = True
            raise LetGo("the file was cut short")
        return view[begin:end]

    def _gone(self, index: int) -> LetGo:
        self.changed = True
        return LetGo(f"segment {self.first + index + 1:,} is no longer in the file")

    def _around(self, index: int) -> memoryview:
        """Memory with the block of a segment at its place. Raises `LetGo` if the file was cut short."""
        assert self.container is not None  # there are rows
        start = self._index.places[index]
        stop = self._index.places[index + 1] if index + 1 < len(self._index.places) else self.position
        view = self._memory.look(start, min(stop, start + WINDOW))
        if view is not None and stop > start + WINDOW:  # much that is no segment may lie between
            with suppress(*_NOT_THE_SAME):  # else it begins far from its original bytes
                stop = min(stop, self.container.frame(view, start)[5])
            view = self._memory.look(start, stop)
        if view is None:
            raise self._gone(index)
        return view

    def payload(self, row: int) -> memoryview:
        """What was kept of a segment's payload."""
        return self._packet(row - self.first)[1]

    def segment(self, row: int) -> Segment:
        """The segment at a row. Raises `LetGo` if its flow was let go meanwhile, by another thread."""
        index = row - self.first
        packet, data = self._packet(index)
        assert self.container is not None  # there are rows
        try:
            time_ns, fate, original, outcome = self.container.details(self._around(index), self._index.places[index])
        except _NOT_THE_SAME:
            raise self._gone(index) from None
        route, kind = self._index.routes[index], kind_of(packet)
        try:
            flow = self._reading.conversations.flow(route)
        except KeyError:
            raise LetGo(f"segment {row + 1:,} was let go") from None
        return Segment(
            number=row + 1,
            time_ns=time_ns,
            flow=flow,
            direction=direction(route),
            kind=kind,
            length=packet[5],
            data=data,
            offset=self._index.positions[index],
            fate=fate,
            original=None if original is None else self._memory.kept(original),
            fragments=self._whole[index].fragments if index in self._whole else 0,
            outcome=outcome if kind is Kind.DATA else Outcome.DELIVERED,
        )

    def rows(self, route: int, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
        """Row, position and length of each segment of a route from row ``start`` to ``stop``."""
        rows, first = self._index, self.first
        for index in rows.of_route(route, max(start - first, 0), stop - first):
            yield first + index, rows.positions[index], rows.lengths[index]

    def rows_of(self, routes: Iterable[int], start: int) -> Iterator[int]:
        """The rows of these routes' segments from row ``start`` on, in order."""
        first, stop = self.first, len(self._index)
        found = [self._index.of_route(route, max(start - first, 0), stop) for route in routes]
        for index in merge(*found):
            yield first + index

    def matching(self, wanted: Term, start: int, stop: int) -> Iterator[int]:
        """The rows from ``start`` to ``stop`` whose segments a filter means."""
        first, rows = self.first, range(max(start - self.first, 0), min(stop - self.first, len(self._index)))
        if rows and self.container is not None:
            search = RowSearch(
                self._index, self._memory, self.container, self._whole, lambda index: self.segment(first + index)
            )
            yield from (first + index for index in wanted.among(rows, search))

    def close(self) -> None:
        """Close the file, and forget its index."""
        self._index = SegmentIndex()
        self._memory = MappedFile(self._file)
        self._file.close()

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._file.closed


def container_of(view: memoryview) -> Container:
    """The format of a capture that begins so; `CaptureError` if it is none."""
    magic = bytes(view[:4])
    if magic == _PCAPNG_MAGIC:
        return Pcapng()
    if magic in MAGICS:
        return Pcap(view)
    packed = next((name for start, name in _PACKED if view[: len(start)] == start), "")
    if packed:
        raise CaptureError(f"the file is compressed with {packed}; unpack it first")
    raise CaptureError("this file is not a capture; netlab reads pcapng and pcap")
