"""The segments of a capture that arrives piece by piece, as from a pipe: nothing stays in memory but what is not whole.

It is given bytes and gives segments; it opens nothing. `netlab.capture.capture_file` reads a mapped file instead, and
can go back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from netlab.capture.conversations import OUTSIDE, Conversations, direction, kind_of
from netlab.capture.files.checkpoint import Checkpoint
from netlab.capture.files.part import PREFIX, container_of
from netlab.capture.files.pcapng import LONGEST_PACKET_HEAD, Container, Details
from netlab.capture.frames.fragments import FRAGMENT, Fragments, Whole
from netlab.capture.frames.links import LINKS, link_name, understood_links
from netlab.capture.frames.packets import Fragment, Packet, read_packet
from netlab.capture.model import CaptureDamage, CaptureError, Kind, Outcome, Segment

LONGEST_BLOCK = 64 << 20
"""Bytes of a block that is waited for; a longer one is refused, because it would have to be kept."""
MOST_FRAGMENTS = 64 << 20
"""Bytes of fragments that are kept; beyond them the packets that wait for parts are given up."""


class ReadSegment(NamedTuple):
    """A segment, and whether its bytes belong to its direction's stream at ``offset``."""

    segment: Segment
    streamed: bool


class SegmentReader:
    """Takes a capture's bytes in order (`feed`), and gives its segments. Raises `CaptureError` if it is no capture."""

    def __init__(self) -> None:
        self.problem = ""
        """A sentence that says what is wrong with the capture and where, or empty; nothing is read after it."""
        self.count = 0
        """Segments so far, also those that were let go before the capture was saved."""
        self._began = False
        self._window = memoryview(b"")
        self._gone = 0  # bytes before the window
        self._container: Container | None = None
        self._began = False
        self._conversations = Conversations()
        self._unread: Counter[str] = Counter()
        self._fragments, self._kept = Fragments(), bytearray()

    @property
    def unread(self) -> Counter[str]:
        """How many packets so far are no segments, by what they are instead."""
        return self._unread + self._fragments.given_up + Counter({FRAGMENT: self._fragments.waiting})

    @property
    def wanted(self) -> int:
        """How many bytes to feed at most: as many as wait again, so that a long block is not copied too often."""
        return max(1 << 18, len(self._window))

    def feed(self, piece: bytes) -> Iterator[ReadSegment]:
        """The segments that are whole with these further bytes. Take them all before the next call."""
        if self.problem:
            return
        self._window = memoryview(b"".join((self._window, piece)))
        if self._container is None:
            if len(self._window) < PREFIX:
                return
            self._container = container_of(self._window)
        try:
            yield from self._segments(self._container)
        except CaptureError as damage:
            where = damage.moved(self._gone) if isinstance(damage, CaptureDamage) else damage
            self.problem = f"{where}; what follows cannot be read"
            return
        gone = self._container.forget(self._window)
        self._window, self._gone = self._window[gone:], self._gone + gone
        if len(self._window) > LONGEST_BLOCK:
            self.problem = f"the block at byte {self._gone:,} is too long; what follows cannot be read"

    def end(self) -> None:
        """There is no more. Raises `CaptureError` if there was too little to be a capture."""
        if self._container is None:
            raise CaptureError("it is too short to be a capture")
        if len(self._window) and not self.problem:
            self.problem = f"it ends inside the block that begins at byte {self._gone:,}"

    def _segments(self, container: Container) -> Iterator[ReadSegment]:
        view = self._window
        for at, link, start, end, on_link, _ in container.frames(view, len(view)):
            if link not in LINKS and not container.links() & LINKS.keys():
                raise CaptureError(f"link type {link_name(link)} is not understood; netlab reads {understood_links()}")
            if not self._began:
                self._begin(container)
            if not self._began:
                self._began = True
                self._go_on(container.checkpoint)
            packet = read_packet(view, link, start, end, on_link)
            details = container.details(view, at)
            withheld = start - at > LONGEST_PACKET_HEAD
            found: ReadSegment | None
            if isinstance(packet, tuple):
                found = self._segment(packet, view[:end], details, withheld)
            else:
                found = self._whole(packet, view, details, withheld)
            if found is not None:
                yield found

    def _begin(self, container: Container) -> None:
        """The first packet: a capture that has let its oldest segments go says where it stands."""
        self._began = True
        if checkpoint := container.checkpoint:
            self.count = checkpoint.segments
            self._conversations.restore(checkpoint.flows)

    def _go_on(self, checkpoint: Checkpoint | None) -> None:
        """Go on where a capture that let its oldest segments go says that it stood before its first packet."""
        if checkpoint is not None:
            self._conversations.restore(checkpoint.flows)
            self.count = checkpoint.segments

    def _whole(self, part: Fragment | str, view: memoryview, details: Details, withheld: bool) -> ReadSegment | None:
        """The segment of the packet that a fragment completes."""
        if isinstance(part, str):
            self._unread[part] += 1
            return None
        begin = len(self._kept)
        self._kept += view[part.begin : part.end]
        kept = replace(part, begin=begin, end=len(self._kept))
        whole: Whole | None = self._fragments.add(kept, details.time_ns)
        found = self._put_together(whole, details, withheld) if whole is not None else None
        self._keep_little()
        return found

    def _put_together(self, whole: Whole, details: Details, withheld: bool) -> ReadSegment | None:
        kept = memoryview(bytes(self._kept))
        packet, joined = whole.packet(lambda begin, end: kept[begin:end])
        if isinstance(packet, str):
            self._unread[packet] += whole.fragments
            return None
        return self._segment(packet, joined, details, withheld, whole.fragments)

    def _keep_little(self) -> None:
        """Forget the fragments' bytes once none waits, and all that wait if they are too many."""
        if len(self._kept) > MOST_FRAGMENTS:
            self._unread += self._fragments.given_up + Counter({FRAGMENT: self._fragments.waiting})
            self._fragments = Fragments()
        if not self._fragments.waiting:
            self._kept = bytearray()

    def _segment(
        self, packet: Packet, view: memoryview, details: Details, withheld: bool, fragments: int = 0
    ) -> ReadSegment | None:
        """The packet as a segment; None if it is only an acknowledgement. Its captured bytes end with ``view``."""
        placed = self._conversations.place(packet, withheld)
        if placed is None:
            return None
        self.count += 1
        route, offset = placed
        kind, dropped = kind_of(packet), details.outcome is Outcome.DROPPED
        payload, length = packet[4], packet[5]
        segment = Segment(
            number=self.count,
            time_ns=details.time_ns,
            flow=self._conversations.flow(route),
            direction=direction(route),
            kind=kind,
            length=length,
            data=view[payload : max(payload, min(payload + length, len(view)))],
            offset=offset,
            fate=details.fate,
            original=details.original,
            fragments=fragments,
            outcome=details.outcome if kind is Kind.DATA else Outcome.DELIVERED,
        )
        return ReadSegment(segment, not (route & OUTSIDE or dropped))
