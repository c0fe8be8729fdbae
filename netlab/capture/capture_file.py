"""A capture, read while it grows: segments, flows and streams as views of its mapped file, or files.

No byte of a payload is copied here, unless the file is others'. What stays in memory is 12 to 24 bytes for each segment
that is kept. Knows nothing of who writes: it reads up to the length that is complete.
"""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import overload

from netlab.capture.conversations import OUTSIDE, route_of
from netlab.capture.files.checkpoint import Checkpoint, FlowState
from netlab.capture.files.destination import CaptureFile
from netlab.capture.files.frame_indexer import SharedReading
from netlab.capture.files.part import Part
from netlab.capture.filtering.terms import Term
from netlab.capture.frames.fragments import FRAGMENT
from netlab.capture.frames.links import LINKS, link_name, understood_links
from netlab.capture.model import CaptureError, Direction, Flow, LetGo, Segment, Transport
from netlab.capture.stream import Stream

_NOTHING = memoryview(b"")


class Segments(Sequence[Segment]):
    """A capture's segments in order, each made on demand; its index is its number less one, always.

    The length counts also those that were let go; they cannot be had (`LetGo`), and neither an iteration nor a slice,
    which is a tuple, has them.
    """

    def __init__(self, capture: Capture) -> None:
        self._capture = capture

    def __len__(self) -> int:
        return self._capture.segment_count

    def __iter__(self) -> Iterator[Segment]:
        return self._from(self._capture.let_go)

    def __reversed__(self) -> Iterator[Segment]:
        index = len(self)
        while index > self._capture.let_go:
            index -= 1
            with suppress(LetGo):
                yield self[index]

    def _from(self, index: int) -> Iterator[Segment]:
        while index < len(self):
            with suppress(LetGo):
                yield self[index]
            index += 1

    @overload
    def __getitem__(self, index: int) -> Segment: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Segment]: ...
    def __getitem__(self, index: int | slice) -> Segment | Sequence[Segment]:
        """The segment at ``index``, counted from 0 (its number is one more)."""
        if isinstance(index, slice):
            first, found = self._capture.let_go, list[Segment]()
            for each in range(*index.indices(len(self))):
                with suppress(LetGo):
                    found += [self[each]] if each >= first else []
            return tuple(found)
        count = self._capture.segment_count
        if not -count <= index < count:
            raise IndexError(f"the capture has {count} segments")
        return self._capture.segment(index if index >= 0 else index + count)


class Capture:
    """A pcapng or pcap file that may still grow. Begins empty: `grow` reads up to the length that is complete.

    It may have several files, one after the other, of which the oldest are let go while it grows (`Keep.NEWEST`).
    One thread may grow it while others look: they see the segments so far. Views that were handed out stay valid
    after the capture grew, let go or was closed; the memory goes with the last of them. Raises `OSError` when the file
    cannot be opened.
    """

    def __init__(self, path: str | os.PathLike[str], *, others: bool = False) -> None:
        """``others`` may cut the file short while it is open: what is looked at is copied then.

        A segment that is no longer in the file is `LetGo`.
        """
        self.path = Path(path)
        self.problem = ""
        """A sentence that says what is wrong with the file and where, or empty."""
        self.segments: Sequence[Segment] = Segments(self)
        self._reading = SharedReading()
        self._conversations = self._reading.conversations
        first = Part(CaptureFile(str(path), 0), self._reading, others=others)
        self._parts: tuple[Part, ...] = (first,)  # exchanged whole: other threads look
        self._ahead: deque[Part] = deque()  # files that are not read yet; they are open, so removal does not hurt
        self._count = 0  # segments of files that are read
        self._open: tuple[FlowState, ...] = ()  # at the beginning of the file that is read
        self._streams: dict[int, Stream] = {}
        self._damaged = self._closed = self._lets_go = False

    @classmethod
    def of_file(cls, path: str | os.PathLike[str]) -> Capture:
        """A file by anyone, who may cut it short meanwhile, opened but not yet read: ``grow()`` reads it.

        Raises `CaptureError` if it is not a capture, or if netlab understands none of its link types.
        """
        capture = cls(path, others=True)
        try:
            capture.grow(at_most=1)
            container = capture._last.container
            links = container.links() if container else frozenset()
            if container is None:
                raise CaptureError("the file is too short to be a capture")
            if links and not links & LINKS.keys():
                named = ", ".join(map(link_name, sorted(links)))
                raise CaptureError(f"link type {named} is not understood; netlab reads {understood_links()}")
        except CaptureError:
            capture.close()
            raise
        return capture

    @property
    def _last(self) -> Part:
        return self._parts[-1]

    @property
    def size(self) -> int:
        """The length in bytes as it stands now, also of what was let go."""
        last = self._ahead[-1] if self._ahead else self._last
        return last.start + last.size

    @property
    def position(self) -> int:
        """How much was read, in bytes; less than the length given to `grow` when ``at_most`` stopped it."""
        return self._last.start + self._last.position

    @property
    def cut_short(self) -> bool:
        """Whether something that was read of it has been cut off, or replaced."""
        return self.size < self.position or any(part.changed for part in self._parts)

    @property
    def segment_count(self) -> int:
        """How many segments there were so far."""
        stop = self._parts[-1].stop
        return stop if stop > self._count else self._count  # as `max`, in half the time

    @property
    def let_go(self) -> int:
        """How many of the oldest segments were let go."""
        return next((part.first for part in self._parts if len(part)), self._count)

    @property
    def flows(self) -> Sequence[Flow]:
        """The flows so far; a flow's index is its number less one. Those of which nothing is kept were let go, too."""
        return self._conversations.flows

    @property
    def unread(self) -> Counter[str]:
        """How many packets so far are no segments, by what they are instead: neither TCP nor UDP, cut, or in parts."""
        fragments = self._reading.fragments
        counted = Counter(self._reading.unread), Counter(fragments.given_up)  # copies: another thread may count
        return sum(counted, Counter({FRAGMENT: fragments.waiting}))

    def grow(self, length: int | None = None, *, at_most: int | None = None, files: Sequence[CaptureFile] = ()) -> int:
        """Read the packets up to ``length`` bytes (None: all of the file), ``at_most`` so many; how many segments came.

        ``files`` are those of a capture that has several: what lies before the first of them is let go. After damage
        nothing more is read, and `problem` says so. Raises `CaptureError` if the file is not a capture.
        """
        if self._damaged or self._closed:
            return 0
        if files:
            self._follow(files)
        length = self.size if length is None else min(length, self.size)
        before, left = self.segment_count, at_most
        while not self._damaged:
            scanned = self._read(length, left)
            left = None if left is None else left - scanned
            if not self._ahead or self._last.position < self._last.size or left == 0:
                break
            self._count = self.segment_count
            self._parts = (*self._parts, self._ahead.popleft())
        if self._lets_go and len(self._last):  # then it is known which flows are open
            self._let_flows_go()
        return self.segment_count - before

    def _read(self, length: int, at_most: int | None) -> int:
        """Read on in the last part (all of it if another follows); how many packets were looked at."""
        part = self._last
        end = part.size if self._ahead else min(length - part.start, part.size)
        if end <= part.position:
            return 0
        try:
            if not part.map(end):
                return 0
        except OSError as error:  # no memory, or no file descriptor left
            self.problem = f"the file could not be mapped ({error.strerror})"
            return 0
        scanned = 0
        try:
            scanned = part.read(end, at_most, self._begin)
        except CaptureError as damage:
            self._damaged, self.problem = True, f"{damage}; what follows cannot be read"
        else:
            ended = at_most is None or scanned < at_most
            cut = ended and part.position < end
            self.problem = f"the file ends inside the block that begins at byte {part.position:,}" if cut else ""
        return scanned

    def _begin(self, part: Part, checkpoint: Checkpoint | None) -> None:
        """The first packet of a file comes. If those before it were not read to their end, its checkpoint counts."""
        count = self.segment_count
        if checkpoint is not None and checkpoint.segments > count:
            self._conversations.restore(checkpoint.flows)
            count = checkpoint.segments
        self._open = checkpoint.flows if checkpoint is not None else ()
        part.first = self._count = count

    def _follow(self, files: Sequence[CaptureFile]) -> None:
        """Open the files that are new, at once, because they may be removed; let go those that are no longer there."""
        newest = (self._ahead[-1] if self._ahead else self._last).start
        for file in files:
            if file.start > newest:
                with suppress(OSError):  # removed already
                    self._ahead.append(Part(file, self._reading))
        while self._ahead and self._ahead[0].start < files[0].start:
            self._ahead.popleft()
        kept = tuple(part for part in self._parts if part.start >= files[0].start)
        if not kept and self._ahead:
            kept = (self._ahead.popleft(),)
        if kept and kept != self._parts:
            self._keep(kept)

    def _keep(self, kept: tuple[Part, ...]) -> None:
        """Let go all but these parts, and what is known of streams that lies before them."""
        self._count = self.segment_count
        self._parts = kept
        first = self.let_go
        self._streams = {route: stream.without(first) for route, stream in list(self._streams.items())}
        self._lets_go = True

    def _let_flows_go(self) -> None:
        """Forget the flows, and their streams, of which nothing is left unless they are still open."""
        routes = frozenset[int]().union(*(part.routes for part in self._parts))
        gone = self._conversations.keep_only(routes, self._open)
        self._streams = {route: stream for route, stream in list(self._streams.items()) if route not in gone}
        self._lets_go = False

    def _part_of(self, row: int) -> Part:
        """The part with the segment at ``row``, counted from 0; `LetGo` if none has it any more."""
        for part in reversed(self._parts):
            if row >= part.first and row - part.first < len(part):
                return part
        raise LetGo(f"segment {row + 1:,} was let go")

    def segment(self, row: int) -> Segment:
        """The segment at ``row``, counted from 0. Raises `LetGo`."""
        return self._part_of(row).segment(row)

    def payload(self, row: int) -> memoryview:
        """What the capture has of the payload of the segment at ``row``, counted from 0."""
        try:
            return self._part_of(row).payload(row)
        except LetGo:
            return _NOTHING

    def rows(self, route: int, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
        """Row, position and length of each segment of a stream from row ``start`` to ``stop``."""
        for part in self._parts:
            yield from part.rows(route, start, stop)

    def matching(self, wanted: Term, start: int, stop: int) -> list[int]:
        """The indices from ``start`` up to ``stop`` of the segments that a filter means; those let go are not among."""
        return [row for part in self._parts for row in part.matching(wanted, start, stop)]

    def numbers(self, flow: Flow, after: int = 0) -> Iterator[int]:
        """The numbers of a flow's segments behind number ``after``, in order; also of those that were dropped."""
        routes = [route_of(flow, way) | outside for way in Direction for outside in (0, OUTSIDE)]
        for part in self._parts:
            for row in part.rows_of(routes, after):
                yield row + 1

    def stream(self, flow: Flow, way: Direction) -> Stream:
        """What went one way in a flow, up to date with `segments`.

        The next call returns the same object, grown; or one that begins later, if the capture has let go of it.
        """
        route = route_of(flow, way)
        stream = self._streams.get(route)
        if stream is None:
            stream = Stream(self, route, datagrams=flow.transport is Transport.UDP)
            self._streams[route] = stream
        stream.grow(self.segment_count)
        return stream

    def close(self) -> None:
        """Close the file. Segments and views that were handed out stay valid. Closing twice does nothing."""
        for part in (*self._parts, *self._ahead):
            part.close()
        self._parts, self._streams, self._count, self._closed = (self._last,), {}, 0, True
        self._ahead.clear()

    def __enter__(self) -> Capture:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
