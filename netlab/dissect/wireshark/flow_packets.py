"""One flow's segments as a pcap for tshark, bounded, and where in the flow's streams each packet's bytes lie.

The packets are synthetic, as those of any capture of the wire; `netlab.capture.synthesis` makes their headers.
"""

from __future__ import annotations

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from netlab.capture.model import Direction, Endpoint, Flow, Segment, Transport
from netlab.capture.stream import Chunk
from netlab.capture.synthesis import ACK, LONGEST_TCP_PAYLOAD, PSH, SYN, SYN_OPTIONS, Heading
from netlab.capture.view import CapturedSegments

MOST_SEGMENTS: Final = 2000
MOST_BYTES: Final = 1 << 20
"""At most so many segments and bytes of a flow are given to tshark: half of them up to the segment, a quarter behind
it, and a quarter of the other direction's."""
_MAGIC_NS: Final = 0xA1B23C4D
_RAW: Final = 101
_MODULO: Final = 0xFFFFFFFF


class Piece(NamedTuple):
    """What one segment brought one way: its place in that way's stream, its bytes, and the segment's number."""

    direction: Direction
    offset: int
    data: memoryview
    segment: int
    time_ns: int = 0


class FlowPacket(NamedTuple):
    """A packet: its bytes begin at ``offset`` in their direction's stream, behind ``header`` bytes."""

    direction: Direction
    offset: int
    length: int
    header: int


@dataclass(slots=True)
class FlowPackets:
    """A pcap file, and its packets by their number in it."""

    data: bytes
    packets: dict[int, FlowPacket] = field(default_factory=dict)
    carried: dict[Direction, list[Piece]] = field(default_factory=dict)

    def bytes_at(self, direction: Direction, start: int, end: int) -> bytes:
        """The bytes of a stream, as far as they were given without a gap."""
        pieces = self.carried.get(direction, [])
        index = bisect_right(pieces, start, key=lambda piece: piece.offset) - 1
        found = b""
        while 0 <= index < len(pieces) and start + len(found) < end:
            piece, at = pieces[index], start + len(found)
            if not piece.offset <= at < piece.offset + len(piece.data):
                break
            found += piece.data[at - piece.offset : end - piece.offset]
            index += 1
        return found


def pieces_around(segment: Segment, capture: CapturedSegments) -> list[Piece]:
    """A segment, what came before it in its flow, and some of what came after, in the order of the capture.

    Call it in the thread that grows the capture.
    """
    if segment.flow.transport is Transport.UDP:
        return [Piece(segment.direction, 0, segment.data, segment.number)]
    mine = capture.stream(segment.flow, segment.direction)
    others = capture.stream(segment.flow, segment.direction.other)
    here = max(bisect_right(range(len(mine)), segment.offset, key=lambda index: mine[index].offset) - 1, 0)
    first, last = _reach(mine, here)
    numbers = [mine[index].segment for index in (first, last)] if mine else [0, 0]
    low, high = (bisect_left(range(len(others)), n, key=lambda index: others[index].segment) for n in numbers)
    low = max(low if first else 0, high - MOST_SEGMENTS // 4)
    theirs = [_piece(others[index], segment.direction.other) for index in range(low, high)]
    while theirs and sum(len(piece.data) for piece in theirs) > MOST_BYTES // 4:
        del theirs[: len(theirs) // 2 + 1]
    own = [_piece(mine[index], segment.direction) for index in range(first, last + 1 if mine else 0)]
    return sorted([*own, *theirs], key=lambda piece: piece.segment)


def _piece(chunk: Chunk, direction: Direction) -> Piece:
    return Piece(direction, chunk.offset, chunk.view, chunk.segment)


def _reach(chunks: Sequence[Chunk], here: int) -> tuple[int, int]:
    """How far to go back from a chunk, and on from it: the indices of the first and the last."""
    first, left = here, MOST_BYTES // 2
    while first > 0 and here - first < MOST_SEGMENTS // 2 - 2 and (left := left - chunks[first - 1].length) > 0:
        first -= 1
    last, left = here, MOST_BYTES // 4
    while last + 1 < len(chunks) and last - here < MOST_SEGMENTS // 4 and (left := left - chunks[last + 1].length) > 0:
        last += 1
    return first, last


class _Pcap:
    """Writes the packets of one flow, one after the other."""

    def __init__(self, client: Endpoint, server: Endpoint) -> None:
        self._headings = {Direction.TO_SERVER: Heading(client, server), Direction.TO_CLIENT: Heading(server, client)}
        self._out = [struct.pack("<IHHiIII", _MAGIC_NS, 2, 4, 0, 0, 1 << 18, _RAW)]
        self._ends = dict.fromkeys(Direction, 0)
        self._time = 0
        self.made = FlowPackets(b"", {}, {direction: [] for direction in Direction})

    def datagram(self, piece: Piece) -> None:
        """A datagram; its stream is itself alone."""
        header = self._headings[piece.direction].udp(piece.data)
        self.made.carried[piece.direction] = [piece._replace(offset=0)]
        self._write(header, piece.data, piece._replace(offset=0))

    def handshake(self, pieces: Sequence[Piece]) -> None:
        """The packets that open the connection, just before the first bytes of each side."""
        for piece in reversed(pieces):
            self._time = piece.time_ns
            self._ends[piece.direction] = piece.offset
        client, server = self._ends[Direction.TO_SERVER], self._ends[Direction.TO_CLIENT]
        out, back = self._headings[Direction.TO_SERVER], self._headings[Direction.TO_CLIENT]
        self._write(out.tcp(client & _MODULO, 0, SYN, 0, SYN_OPTIONS))
        self._write(back.tcp(server & _MODULO, client + 1 & _MODULO, SYN | ACK, 0, SYN_OPTIONS))
        self._write(out.tcp(client + 1 & _MODULO, server + 1 & _MODULO, ACK, 0))

    def segment(self, piece: Piece) -> None:
        """Bytes of a stream, cut where a packet can hold no more."""
        way = piece.direction
        self.made.carried[way].append(piece)
        for start in range(0, len(piece.data), LONGEST_TCP_PAYLOAD):
            data = piece.data[start : start + LONGEST_TCP_PAYLOAD]
            at, answered = piece.offset + start, self._ends[way.other]
            header = self._headings[way].tcp(at + 1 & _MODULO, answered + 1 & _MODULO, PSH | ACK, len(data))
            self._write(header, data, piece._replace(offset=at, data=data))
            self._ends[way] = at + len(data)

    def _write(self, header: bytes, data: bytes | memoryview = b"", piece: Piece | None = None) -> None:
        size, number = len(header) + len(data), len(self._out)
        seconds, rest = divmod(self._time if piece is None else piece.time_ns, 10**9)
        self._out.append(b"".join((struct.pack("<IIII", seconds & _MODULO, rest, size, size), header, data)))
        if piece is not None:
            self.made.packets[number] = FlowPacket(piece.direction, piece.offset, len(data), len(header))

    def whole(self) -> FlowPackets:
        """All of it."""
        self.made.data = b"".join(self._out)
        return self.made


def as_pcap(flow: Flow, pieces: Sequence[Piece]) -> FlowPackets:
    """The pieces as packets, one after the other; a TCP connection begins with its handshake."""
    pcap = _Pcap(flow.client, flow.server)
    if flow.transport is Transport.UDP:
        for piece in pieces:
            pcap.datagram(piece)
    else:
        pcap.handshake(pieces)
        for piece in pieces:
            pcap.segment(piece)
    return pcap.whole()
