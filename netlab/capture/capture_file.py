"""A capture file, read while it grows: segments, flows and streams as views of the mapped file.

No byte of a payload is copied here. What stays in memory is 28 bytes for each segment. Knows nothing of who writes the
file: it reads up to the length that is complete.
"""

from __future__ import annotations

import mmap
import os
import weakref
from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import overload

from netlab.capture.conversations import OUTSIDE, Conversations, direction, kind_of, route_of
from netlab.capture.frames.fragments import FRAGMENT, Fragments, Whole
from netlab.capture.frames.links import LINKS, link_name, understood_links
from netlab.capture.frames.packets import Fragment, Packet, read_packet
from netlab.capture.model import CaptureError, Direction, Flow, Kind, Outcome, Segment, Transport
from netlab.capture.pcap import MAGICS, Pcap
from netlab.capture.pcapng import LONGEST_PACKET_HEAD, Container, Pcapng
from netlab.capture.stream import Stream

_PCAPNG_MAGIC = b"\n\r\r\n"
_PACKED = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\xfd7zXZ", "xz"),
    (b"BZh", "bzip2"),
)
_NO_OPTIONS = 7
"""At most so many bytes lie behind a packet in its block when no options do: padding and the block's length."""
PREFIX = 24
"""Bytes that show the format: a pcap header, or the beginning of a section header."""


class Segments(Sequence[Segment]):
    """A capture's segments in order, each made on demand. A slice is a tuple."""

    def __init__(self, capture: Capture) -> None:
        self._capture = capture

    def __len__(self) -> int:
        return self._capture.segment_count

    @overload
    def __getitem__(self, index: int) -> Segment: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Segment]: ...
    def __getitem__(self, index: int | slice) -> Segment | Sequence[Segment]:
        """The segment at ``index``, counted from 0 (its number is one more)."""
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        if not -len(self) <= index < len(self):
            raise IndexError(f"the capture has {len(self)} segments")
        return self._capture.segment(index % len(self))


class Capture:
    """A pcapng or pcap file that may still grow. Begins empty: `grow` reads up to the length that is complete.

    One thread may grow it while others look: they see the segments so far. Views that were handed out stay valid
    after the capture grew or was closed; the memory goes with the last of them. The file must not be cut short while
    it is open. Raises `OSError` when the file cannot be opened.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.problem = ""
        """A sentence that says what is wrong with the file and where, or empty."""
        self.segments: Sequence[Segment] = Segments(self)
        self._file = self.path.open("rb", buffering=0)
        weakref.finalize(self, self._file.close)  # a lab's capture can be looked at after its end; nobody closes it
        self._view = memoryview(b"")
        self._container: Container | None = None
        self._conversations = Conversations()
        self._streams: dict[int, Stream] = {}
        self._damaged = False
        self._unread: Counter[str] = Counter()
        self._fragments = Fragments()
        self._whole: dict[int, Whole] = {}  # of the rows whose packets came in fragments
        self._places = array("Q")  # where each segment's block begins
        self._positions = array("q")
        self._lengths = array("I")
        self._routes = array("I")
        self._rows: defaultdict[int, array[int]] = defaultdict(partial(array, "I"))  # the rows of each route

    @classmethod
    def of_file(cls, path: str | os.PathLike[str]) -> Capture:
        """A finished file, by anyone, opened but not yet read: ``grow()`` reads it.

        Raises `CaptureError` if it is not a capture, or if netlab understands none of its link types.
        """
        capture = cls(path)
        try:
            capture.grow(at_most=1)
            links = capture._container.links() if capture._container else frozenset()
            if capture._container is None:
                raise CaptureError("the file is too short to be a capture")
            if links and not links & LINKS.keys():
                named = ", ".join(map(link_name, sorted(links)))
                raise CaptureError(f"link type {named} is not understood; netlab reads {understood_links()}")
        except CaptureError:
            capture.close()
            raise
        return capture

    @property
    def size(self) -> int:
        """The file's length in bytes as it stands now."""
        return os.fstat(self._file.fileno()).st_size

    @property
    def position(self) -> int:
        """How much of the file was read, in bytes; less than the length given to `grow` when ``at_most`` stopped it."""
        return self._container.position if self._container else 0

    @property
    def segment_count(self) -> int:
        """How many segments were read so far."""
        return len(self._places)

    @property
    def flows(self) -> Sequence[Flow]:
        """The flows so far; a flow's index is its number less one."""
        return self._conversations.flows

    @property
    def unread(self) -> Counter[str]:
        """How many packets so far are no segments, by what they are instead: neither TCP nor UDP, cut, or in parts."""
        return self._unread + self._fragments.given_up + Counter({FRAGMENT: self._fragments.waiting})

    def grow(self, length: int | None = None, *, at_most: int | None = None) -> int:
        """Read the packets up to ``length`` bytes (None: all of the file), ``at_most`` so many; how many segments came.

        After damage nothing more is read, and `problem` says so. Raises `CaptureError` if the file is not a capture.
        """
        if self._damaged or self._file.closed:
            return 0
        length = self.size if length is None else min(length, self.size)
        if length <= self.position:
            return 0
        try:
            self._map(length)
        except OSError as error:  # no memory, or no file descriptor left
            self.problem = f"the file could not be mapped ({error.strerror})"
            return 0
        if self._container is None:
            if length < PREFIX:
                return 0
            self._container = container_of(self._view[:length])
        before = self.segment_count
        try:
            scanned = self._index(self._container, length, at_most)
        except CaptureError as damage:
            self._damaged, self.problem = True, f"{damage}; what follows cannot be read"
        else:
            ended = at_most is None or scanned < at_most
            cut = ended and self.position < length
            self.problem = f"the file ends inside the block that begins at byte {self.position:,}" if cut else ""
        return self.segment_count - before

    def _map(self, length: int) -> None:
        """Map the file as it stands when what is mapped is too short. Old maps live as long as views of them."""
        if len(self._view) < length:
            self._view = memoryview(mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ))

    def _index(self, container: Container, length: int, at_most: int | None) -> int:
        """Note each segment's place, stream position, length and route; how many packets were looked at."""
        view, place = self._view, self._conversations.place
        places, positions, lengths, routes = self._places, self._positions, self._lengths, self._routes
        rows, row = self._rows, len(places)
        scanned = 0
        for at, link, start, end, on_link, stop in islice(container.frames(view, length), at_most):
            scanned += 1
            found = read_packet(view, link, start, end, on_link)
            packet = found if isinstance(found, tuple) else self._whole_packet(found, container, at)
            if packet is None:
                continue
            placed = place(packet, start - at > LONGEST_PACKET_HEAD)
            if placed is not None:
                lost = stop - end > _NO_OPTIONS and container.details(view, at).outcome is Outcome.DROPPED
                route = placed[0] | OUTSIDE if lost else placed[0]
                routes.append(route)
                rows[route].append(row)
                positions.append(placed[1])
                lengths.append(packet[5])
                places.append(at)  # last, because readers go by its length
                row += 1
            elif row in self._whole:  # it came in fragments, and is only an acknowledgement
                del self._whole[row]
        return scanned

    def _whole_packet(self, found: Fragment | str, container: Container, at: int) -> Packet | None:
        """The packet that a fragment completes; None if it completes none, or if it cannot be read."""
        if isinstance(found, str):
            self._unread[found] += 1
            return None
        whole = self._fragments.add(found, container.details(self._view, at).time_ns)
        if whole is None:
            return None
        packet, _ = whole.packet(self._view)
        if isinstance(packet, str):
            self._unread[packet] += whole.fragments
            return None
        self._whole[self.segment_count] = whole
        return packet

    def _packet(self, row: int) -> tuple[Packet, memoryview]:
        """The headers of a segment and what was kept of its payload."""
        view = self._view
        assert self._container is not None  # there are rows
        packet: Packet | Fragment | str
        whole = self._whole.get(row)
        if whole is not None:
            packet, view = whole.packet(view)
            end = len(view)
        else:
            _, link, start, end, on_link, _ = self._container.frame(view, self._places[row])
            packet = read_packet(view, link, start, end, on_link)
        assert isinstance(packet, tuple)  # it was understood when it was indexed
        payload, length = packet[4], packet[5]
        return packet, view[payload : max(payload, min(payload + length, end))]

    def segment(self, row: int) -> Segment:
        """The segment at ``row``, counted from 0."""
        packet, data = self._packet(row)
        assert self._container is not None  # there are rows
        time_ns, fate, original, outcome = self._container.details(self._view, self._places[row])
        route = self._routes[row]
        kind = kind_of(packet)
        return Segment(
            number=row + 1,
            time_ns=time_ns,
            flow=self._conversations.flow(route),
            direction=direction(route),
            kind=kind,
            length=packet[5],
            data=data,
            offset=self._positions[row],
            fate=fate,
            original=original,
            fragments=self._whole[row].fragments if row in self._whole else 0,
            outcome=outcome if kind is Kind.DATA else Outcome.DELIVERED,
        )

    def payload(self, row: int) -> memoryview:
        """What the file kept of the payload of the segment at ``row``, counted from 0."""
        return self._packet(row)[1]

    def rows(self, route: int, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
        """Row, position and length of each segment of a stream from row ``start`` to ``stop``."""
        rows = self._rows.get(route, ())
        for index in range(bisect_left(rows, start), bisect_left(rows, stop)):
            row = rows[index]
            yield row, self._positions[row], self._lengths[row]

    def stream(self, flow: Flow, way: Direction) -> Stream:
        """What went one way in a flow, up to date with `segments`. The next call returns the same object, grown."""
        route = route_of(flow, way)
        stream = self._streams.get(route)
        if stream is None:
            stream = Stream(self, route, datagrams=flow.transport is Transport.UDP)
            self._streams[route] = stream
        stream.grow(self.segment_count)
        return stream

    def close(self) -> None:
        """Close the file. Segments and views that were handed out stay valid. Closing twice does nothing."""
        self._places, self._streams = array("Q"), {}
        self._view = memoryview(b"")
        self._file.close()

    def __enter__(self) -> Capture:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


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
