"""IP packets that came in fragments (RFC 791, 8200): gathered, bounded, until they are whole.

Keeps where the bytes lie in the file, not the bytes. Knows no file format.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from netlab.capture.frames.packets import Fragment, Packet, read_payload

FRAGMENT = "IP fragment"
"""Why a packet is not read that is a part of one whose other parts are missing."""
OVERLAPPING = "overlapping IP fragment"
"""A packet of such parts is refused whole (RFC 5722): nobody can say which bytes its receiver took."""
MOST_WAITING = 1 << 14
"""Fragments that wait for others at most; the packets that began first are given up first."""
LIFETIME_NS = 60 * 10**9
"""How long parts of one packet are waited for (RFC 8200, section 4.5): later its identification is another's."""


class Whole(NamedTuple):
    """A complete IP packet: where its payload's parts lie in the file, how long it is, and how
    many fragments it came in."""

    protocol: int
    addresses: bytes
    parts: tuple[tuple[int, int], ...]
    length: int
    fragments: int

    def packet(self, piece: Callable[[int, int], memoryview]) -> tuple[Packet | str, memoryview]:
        """Its headers, with where its payload begins in the bytes that follow, a copy: all up to the first gap.

        ``piece`` gives the file's bytes from one place to another.
        """
        joined = memoryview(b"".join(piece(begin, end) for begin, end in self.parts))
        packet = read_payload(joined, self.protocol, self.addresses, self.length)
        return (packet if not isinstance(packet, Fragment) else "IP fragments in a tunnel's fragments"), joined


class _Waiting:
    """The fragments of one packet so far, by offset."""

    __slots__ = ("held", "parts", "since", "total")

    def __init__(self, since: int) -> None:
        self.since = since
        self.held = 0
        self.parts: list[Fragment] = []
        self.total = -1  # until the last one came

    def add(self, fragment: Fragment) -> bool:
        """Add a part, unless it is there already; False if it contradicts the others."""
        index = bisect_left(self.parts, fragment.offset, key=_offset)
        stop = fragment.offset + fragment.length
        if index < len(self.parts) and _extent(self.parts[index]) == _extent(fragment):
            return True
        overlaps_before = index > 0 and sum(_extent(self.parts[index - 1])) > fragment.offset
        overlaps_after = index < len(self.parts) and self.parts[index].offset < stop
        if overlaps_before or overlaps_after or -1 < self.total < stop:
            return False
        if fragment.last:
            if self.total >= 0 or (self.parts and sum(_extent(self.parts[-1])) > stop):
                return False
            self.total = stop
        self.parts.insert(index, fragment)
        self.held += fragment.length
        return True

    @property
    def complete(self) -> bool:
        """Whether nothing is missing: the parts do not overlap, so their lengths decide."""
        return self.held == self.total


class Fragments:
    """All packets that wait for some of their parts."""

    def __init__(self) -> None:
        self.waiting = 0
        """Fragments that wait."""
        self.given_up: Counter[str] = Counter()
        """Fragments that wait no longer, by the reason."""
        self._packets: OrderedDict[tuple[bytes, int, int], _Waiting] = OrderedDict()

    def add(self, fragment: Fragment, time_ns: int) -> Whole | None:
        """Take in a fragment that crossed at a time; the packet that it makes whole, if it does."""
        packet = self._packets.get(fragment.name)
        if packet is not None and time_ns - packet.since > LIFETIME_NS:
            self._give_up(fragment.name, FRAGMENT)
            packet = None
        if packet is None:
            packet = self._packets[fragment.name] = _Waiting(time_ns)
        before = len(packet.parts)
        if not packet.add(fragment):
            self._give_up(fragment.name, OVERLAPPING)
            self.given_up[OVERLAPPING] += 1
            return None
        self.waiting += len(packet.parts) - before
        if packet.complete:
            del self._packets[fragment.name]
            self.waiting -= len(packet.parts)
            return _whole(packet)
        while self.waiting > MOST_WAITING:
            self._give_up(next(iter(self._packets)), FRAGMENT)
        return None

    def _give_up(self, name: tuple[bytes, int, int], reason: str) -> None:
        count = len(self._packets.pop(name).parts)
        self.waiting -= count
        self.given_up[reason] += count


def _whole(packet: _Waiting) -> Whole:
    """The parts in order, up to the first that was not wholly captured."""
    first = packet.parts[0]
    kept: list[tuple[int, int]] = []
    for part in packet.parts:
        kept.append((part.begin, part.end))
        if part.end - part.begin < part.length:
            break
    return Whole(first.protocol, first.addresses, tuple(kept), packet.total, len(packet.parts))


def _offset(fragment: Fragment) -> int:
    return fragment.offset


def _extent(fragment: Fragment) -> tuple[int, int]:
    return fragment.offset, fragment.length
