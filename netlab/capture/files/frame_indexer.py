"""Reads the frames of a capture's file, and adds those that are segments to the file's index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from netlab.capture.conversations import OUTSIDE, Conversations
from netlab.capture.files.file_memory import FileMemory
from netlab.capture.files.pcapng import LONGEST_PACKET_HEAD, Container, Frame
from netlab.capture.files.segment_index import SegmentIndex
from netlab.capture.frames.fragments import Fragments, Whole
from netlab.capture.frames.packets import (
    FIN,
    PLAIN,
    PLAIN_HEAD,
    RAW,
    RST,
    SYN,
    TCP,
    Fragment,
    Packet,
    plain_ip,
    read_packet,
)
from netlab.capture.model import LetGo, Outcome

_WRAP = 0xFFFFFFFF
_NO_OPTIONS = 7
"""At most so many bytes lie behind a packet in its block when no options do: padding and the block's length."""


class SharedReading:
    """What the files of a capture share: the flows, the fragments that wait, and what could not be read."""

    def __init__(self) -> None:
        self.conversations = Conversations()
        self.fragments = Fragments()
        self.unread: Counter[str] = Counter()


class FrameIndexer:
    """Adds to one file's index during one reading of the file.

    ``whole`` gets the segments that came in fragments, by their index. ``piece`` gives the file's bytes anywhere, and
    raises `LetGo` if the file was cut short.
    """

    def __init__(
        self,
        container: Container,
        memory: FileMemory,
        reading: SharedReading,
        index: SegmentIndex,
        whole: dict[int, Whole],
        piece: Callable[[int, int], memoryview],
    ) -> None:
        self._container, self._memory, self._reading = container, memory, reading
        self._index, self._whole, self._piece = index, whole, piece

    def read(self, frames: Iterable[Frame]) -> int:
        """Add the segments among these frames to the index; how many packets were looked at.

        What most packets are is decided here, for the sake of time: TCP behind plain headers, with the next bytes of a
        stream or with none. `_read_frame` decides the same of any packet.
        """
        view, sides, index, head = self._memory.reading, self._reading.conversations.tcp_sides, self._index, PLAIN_HEAD
        add_route, add_position, add_length, add_place = index.appends()
        scanned = 0
        for frame in frames:
            scanned += 1
            at, link, start, end, on_link, stop = frame
            ip = start if link == RAW else plain_ip(view, link, start, end)
            if end - ip >= PLAIN and stop - end <= _NO_OPTIONS:
                first, total, fragment, protocol, key, sequence, flags = head(view, ip)
                length = total - 20 - (flags >> 10 & 0x3C)
                whole = first == 0x45 and ip + total <= start + on_link and not fragment & 0x3FFF
                if whole and protocol == TCP and flags >= 0x5000 and not flags & (FIN | SYN | RST):
                    side = sides.get(key) if length > 0 else None
                    if side is not None and side.first is not None and side.first + side.end & _WRAP == sequence:
                        position = side.end
                        side.end += length
                        try:
                            add_route(side.route)
                            add_position(position)
                            add_length(length)
                            add_place(at)  # last, because readers go by its length
                        except OverflowError:
                            index.add(at, position, length, side.route)
                            add_route, add_position, add_length, add_place = index.appends()
                        continue
                    if not length and start - at <= LONGEST_PACKET_HEAD:
                        continue
            self._read_frame(frame)
            add_route, add_position, add_length, add_place = index.appends()
        return scanned

    def _read_frame(self, frame: Frame) -> None:
        """Add the packet to the index if it is a segment."""
        view, (at, link, start, end, on_link, stop) = self._memory.reading, frame
        found = read_packet(view, link, start, end, on_link)
        packet = found if isinstance(found, tuple) else self._whole_packet(found, at)
        if packet is None:
            return
        placed = self._reading.conversations.place(packet, start - at > LONGEST_PACKET_HEAD)
        if placed is not None:
            row = len(self._index)
            if packet[0] == TCP and packet[3] & (FIN | SYN | RST):
                self._index.events.append(row)
            if stop - end > _NO_OPTIONS:
                self._index.remarked.append(row)
            lost = stop - end > _NO_OPTIONS and self._container.details(view, at).outcome is Outcome.DROPPED
            self._index.add(at, placed[1], packet[5], placed[0] | OUTSIDE if lost else placed[0])
        else:  # if it came in fragments, it is only an acknowledgement
            self._whole.pop(len(self._index), None)

    def _whole_packet(self, found: Fragment | str, at: int) -> Packet | None:
        """The packet that a fragment completes; None if it completes none, or if it cannot be read."""
        unread = self._reading.unread
        if isinstance(found, str):
            unread[found] += 1
            return None
        whole = self._reading.fragments.add(found, self._container.details(self._memory.reading, at).time_ns)
        if whole is None:
            return None
        try:
            packet, _ = whole.packet(self._piece)
        except LetGo:
            return None
        if isinstance(packet, str):
            unread[packet] += whole.fragments
            return None
        self._whole[len(self._index)] = whole
        return packet
