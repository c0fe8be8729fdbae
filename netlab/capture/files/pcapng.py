"""The pcapng file format (draft-ietf-opsawg-pcapng): blocks of a mapped file, in both byte orders.

Gives frames, the captured bytes of packets with where they lie; knows nothing of what is inside them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from struct import Struct
from typing import Final, NamedTuple, Protocol

from netlab.capture import outcomes
from netlab.capture.files import checkpoint
from netlab.capture.files.checkpoint import CHECKPOINT, Checkpoint
from netlab.capture.model import CaptureDamage, Outcome

SECTION_HEADER: Final = 0x0A0D0D0A
INTERFACE: Final = 1
OLD_PACKET: Final = 2
SIMPLE_PACKET: Final = 3
ENHANCED_PACKET: Final = 6
DECRYPTION_SECRETS: Final = 10
ORIGINAL: Final = 0x80004E4C
"""netlab's own block, for local use: what entered the wire before a fault changed the packet that follows."""

BYTE_ORDER_MAGIC: Final = 0x1A2B3C4D
LONGEST_PACKET_HEAD: Final = 28
"""Bytes of a packet block before the packet; if there are more, an `ORIGINAL` block stands before it."""
_SHORTEST_ENHANCED: Final = 32

_COMMENT, _APPLICATION, _RESOLUTION, _TIME_OFFSET = 1, 4, 9, 14
_LONGEST_COMMENT = 1024
_LATEST = (1 << 63) - 1
"""Nanoseconds of the latest time (year 2262); absurd time stamps are cut to it."""

Frame = tuple[int, int, int, int, int, int]
"""Where its block begins (or that of its original bytes, just before); its link type; where its captured bytes begin
and end in the file; its length on the link; where its block ends."""


class Details(NamedTuple):
    """What a frame's block says beside its bytes: nanoseconds since the epoch, what was done to it, what it was before.

    ``fate`` is in words; ``original`` is the payload before a fault changed or withheld it.
    """

    time_ns: int
    fate: str = ""
    original: memoryview | None = None
    outcome: Outcome = Outcome.DELIVERED


class Container(Protocol):
    """A file format that holds packets. ``position`` is the first byte not yet read; `frames` goes on there."""

    position: int

    @property
    def checkpoint(self) -> Checkpoint | None:
        """Where the capture stood before the first packet; None if the file does not say."""

    def frames(self, view: memoryview, end: int) -> Iterator[Frame]:
        """The frames from ``position`` on that are complete before ``end``; `CaptureError` if it is damaged."""

    def frame(self, view: memoryview, at: int) -> Frame:
        """The frame that `frames` gave for ``at``."""

    def details(self, view: memoryview, at: int) -> Details:
        """What the block at ``at`` says beside the bytes."""

    def links(self) -> frozenset[int]:
        """The link types that were named so far."""

    def forget(self, view: memoryview) -> int:
        """Count positions from the first byte not yet read; returns how many bytes of ``view`` were before it."""


class ByteOrder:
    """The words of a section, in its byte order (``<`` or ``>``)."""

    def __init__(self, mark: str) -> None:
        self.mark = mark
        self.head = Struct(mark + "II")
        self.word = Struct(mark + "I")
        self.option = Struct(mark + "HH")
        self.interface = Struct(mark + "HxxI")
        self.enhanced = Struct(mark + "I8xII")
        self.block = Struct(mark + "III8xII").unpack_from  # of an enhanced packet: kind, size, and the three numbers
        self.old = Struct(mark + "H10xII")
        self.stamp = Struct(mark + "II")
        self.offset = Struct(mark + "q")


_ORDERS = {Struct(mark + "I").pack(BYTE_ORDER_MAGIC): ByteOrder(mark) for mark in "<>"}


class _Interface(NamedTuple):
    link: int
    snap_length: int
    ticks: int
    """Ticks in a second."""
    offset: int
    """Seconds to add."""

    def time_ns(self, high: int, low: int) -> int:
        time_ns = (high << 32 | low) * 1_000_000_000 // self.ticks + self.offset * 1_000_000_000
        return min(max(time_ns, 0), _LATEST)


class _Section(NamedTuple):
    order: ByteOrder
    interfaces: list[_Interface]


_NO_SECTION = _Section(ByteOrder("<"), [])  # a section header's kind reads the same in both byte orders


def byte_order(view: memoryview, at: int) -> ByteOrder:
    """The byte order that the section header at ``at`` announces; `CaptureError` if it does not."""
    order = _ORDERS.get(bytes(view[at + 8 : at + 12]))
    if order is None:
        raise CaptureDamage("the section header", at, "has no byte-order mark")
    return order


def check_block(view: memoryview, order: ByteOrder, at: int, size: int, end: int) -> bool:
    """Whether the block at ``at``, ``size`` bytes by its head, is whole; `CaptureError` when it contradicts itself."""
    if size < 12 or size & 3:
        raise CaptureDamage("the block", at, f"says that it is {size:,} bytes long, which no block can be")
    if at + size > end:
        return False
    again = order.word.unpack_from(view, at + size - 4)[0]
    if again != size:
        raise CaptureDamage("the block", at, f"is {size:,} bytes long by its head and {again:,} by its end")
    return True


def options(view: memoryview, order: ByteOrder, at: int, end: int) -> Iterator[tuple[int, memoryview]]:
    """The options between ``at`` and ``end``: code and value. What does not fit ends them."""
    while end - at >= 4:
        code, length = order.option.unpack_from(view, at)
        if code == 0 or length > end - at - 4:
            return
        yield code, view[at + 4 : at + 4 + length]
        at += 4 + (length + 3 & ~3)


class Pcapng:
    """A pcapng file, read block by block."""

    def __init__(self) -> None:
        self.position = 0
        self._starts: list[int] = []
        self._sections: list[_Section] = []
        self._old: dict[int, bool] = {}  # by a section's place: whether the netlab that wrote it wrote no outcomes
        self._checkpoints: list[bytes] = []  # the blocks before the first packet
        self._began = False

    @property
    def checkpoint(self) -> Checkpoint | None:
        """See `Container.checkpoint`."""
        return checkpoint.read(self._checkpoints)

    def frames(self, view: memoryview, end: int) -> Iterator[Frame]:
        """See `Container.frames`."""
        order, interfaces = self._sections[-1] if self._sections else _NO_SECTION
        at, before = self.position, -1  # before: where the original bytes of the next packet stand
        while end - at >= 12:
            if before < 0 and end - at >= _SHORTEST_ENHANCED:  # decided here, for the sake of time, as below
                kind, size, number, captured, length = order.block(view, at)
                fits = size <= end - at and not size & 3 and captured <= size - _SHORTEST_ENHANCED
                if kind == ENHANCED_PACKET and fits and number < len(interfaces):
                    stop, start = at + size, at + LONGEST_PACKET_HEAD
                    if order.word.unpack_from(view, stop - 4)[0] == size:
                        self.position, self._began = stop, True
                        yield at, interfaces[number][0], start, start + captured, length, stop
                        at = stop
                        continue
            kind, size = order.head.unpack_from(view, at)
            if kind == SECTION_HEADER:
                order, interfaces = self._enter(view, at)
                size = order.word.unpack_from(view, at + 4)[0]
            if not check_block(view, order, at, size, end):
                return
            stop = at + size
            if kind == SECTION_HEADER:
                self._old[at] = _is_old(view, order, at, stop)
            if kind in _PACKETS:
                frame = _packet(view, order, interfaces, kind, at, stop)
                self.position, self._began = stop, True
                yield frame if before < 0 else (before, *frame[1:])
            elif kind == INTERFACE:
                interfaces.append(_interface(view, order, at, stop))
            elif kind == CHECKPOINT and not self._began:
                self._checkpoints.append(bytes(view[at:stop]))
            before = at if kind == ORIGINAL else -1
            at = stop
            if before < 0:
                self.position = stop

    def _enter(self, view: memoryview, at: int) -> _Section:
        """Begin the section whose header is at ``at``, unless that was done when its block was not yet whole."""
        if not self._starts or self._starts[-1] < at:
            order = byte_order(view, at)
            self._starts.append(at)
            self._sections.append(_Section(order, []))
        return self._sections[-1]

    def _section_of(self, at: int) -> _Section:
        return self._sections[bisect_right(self._starts, at) - 1]

    def _packet_block(self, view: memoryview, at: int) -> tuple[_Section, int, int, int]:
        """Section, kind, begin and end of the packet block of the frame at ``at``."""
        section = self._section_of(at)
        kind, size = section.order.head.unpack_from(view, at)
        if kind == ORIGINAL:
            at += size
            kind, size = section.order.head.unpack_from(view, at)
        return section, kind, at, at + size

    def frame(self, view: memoryview, at: int) -> Frame:
        """See `Container.frame`."""
        order, interfaces = self._sections[-1] if at > self._starts[-1] else self._section_of(at)
        if len(view) - at >= _SHORTEST_ENHANCED:  # decided here, for the sake of time, as below
            kind, size, number, captured, length = order.block(view, at)
            if kind == ENHANCED_PACKET and captured <= size - _SHORTEST_ENHANCED and number < len(interfaces):
                start = at + LONGEST_PACKET_HEAD
                return at, interfaces[number][0], start, start + captured, length, at + size
        section, kind, begin, stop = self._packet_block(view, at)
        return at, *_packet(view, section.order, section.interfaces, kind, begin, stop)[1:]

    def details(self, view: memoryview, at: int) -> Details:
        """See `Container.details`. A simple packet has no time: 0."""
        section, kind, begin, stop = self._packet_block(view, at)
        original = _original(view, section.order, at) if begin > at else None
        if kind == SIMPLE_PACKET:
            return Details(0, "", original, Outcome.DELIVERED if original is None else Outcome.CHANGED)
        order = section.order
        number, captured, _ = (order.enhanced if kind == ENHANCED_PACKET else order.old).unpack_from(view, begin + 8)
        time_ns = section.interfaces[number].time_ns(*order.stamp.unpack_from(view, begin + 12))
        comments = _comments(view, order, begin + 28 + (captured + 3 & ~3), stop - 4)
        old = bool(comments) and self._old[self._starts[bisect_right(self._starts, at) - 1]]
        fate, outcome = outcomes.read(comments, changed=original is not None, old=old)
        return Details(time_ns, fate, original, outcome)

    def links(self) -> frozenset[int]:
        """See `Container.links`."""
        return frozenset(interface.link for section in self._sections for interface in section.interfaces)

    def forget(self, view: memoryview) -> int:
        """See `Container.forget`."""
        gone, self.position = self.position, 0
        if self._starts:
            start = self._starts[-1]
            self._starts, self._sections = [start - gone], self._sections[-1:]
            self._old = {start - gone: self._old[start]} if start in self._old else {}
        return gone


_PACKETS = {ENHANCED_PACKET: 28, OLD_PACKET: 28, SIMPLE_PACKET: 12}
"""The kinds of packet blocks, and how many bytes stand before the packet's own."""


def _packet(view: memoryview, order: ByteOrder, interfaces: list[_Interface], kind: int, at: int, stop: int) -> Frame:
    """The frame of the packet block from ``at`` to ``stop``; `CaptureError` when it contradicts itself."""
    start = at + _PACKETS[kind]
    room = stop - start - 4
    if room < 0:
        raise CaptureDamage("the packet block", at, "is too short")
    if kind == ENHANCED_PACKET:
        number, captured, length = order.enhanced.unpack_from(view, at + 8)
    elif kind == OLD_PACKET:
        number, captured, length = order.old.unpack_from(view, at + 8)
    else:
        number, captured, length = 0, room, order.word.unpack_from(view, at + 8)[0]
    if number >= len(interfaces):
        raise CaptureDamage("the packet", at, f"names interface {number}, which the file does not describe")
    link, snap_length = interfaces[number][:2]
    if kind == SIMPLE_PACKET:
        captured = min(room, length, snap_length or length)
    if captured > room:
        raise CaptureDamage("the packet", at, f"says that it holds {captured:,} bytes, more than its block")
    return at, link, start, start + captured, length, stop


def _interface(view: memoryview, order: ByteOrder, at: int, stop: int) -> _Interface:
    if stop - at < 20:
        raise CaptureDamage("the interface block", at, "is too short")
    link, snap_length = order.interface.unpack_from(view, at + 8)
    ticks, offset = 1_000_000, 0
    for code, value in options(view, order, at + 16, stop - 4):
        if code == _RESOLUTION and len(value) >= 1:
            ticks = (2 if value[0] & 0x80 else 10) ** (value[0] & 0x7F)
        elif code == _TIME_OFFSET and len(value) >= 8:
            offset = order.offset.unpack_from(value)[0]
    return _Interface(link, snap_length, ticks, offset)


def _original(view: memoryview, order: ByteOrder, at: int) -> memoryview:
    """The payload of netlab's own block at ``at``: u32 length, then that many bytes."""
    size = order.word.unpack_from(view, at + 4)[0]
    length = order.word.unpack_from(view, at + 8)[0] if size >= 16 else 0
    return view[at + 12 : at + 12 + min(length, max(size - 16, 0))]


def _is_old(view: memoryview, order: ByteOrder, at: int, stop: int) -> bool:
    """Whether the section with the header at ``at`` was written by a netlab that wrote no outcomes."""
    found = list(options(view, order, at + 24, stop - 4))
    application = "".join(str(value, "utf-8", "replace") for code, value in found if code == _APPLICATION)
    return outcomes.is_old(application, _comments(view, order, at + 24, stop - 4))


def _comments(view: memoryview, order: ByteOrder, at: int, end: int) -> list[str]:
    """The comments among some options, made printable here because any file's author wrote them."""
    values = (value for code, value in options(view, order, at, end) if code == _COMMENT)
    return [_printable(str(value[:_LONGEST_COMMENT], "utf-8", "replace")) for value in values]


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in text)
