"""Turns what happens on the wire into packets of a capture: handshakes, numbered data, ends.

Times are nanoseconds since the epoch by the wire's clock. It knows no socket and no file format: packets come from
`netlab.capture.synthesis` and go to a `netlab.capture.writer.CaptureWriter`.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

from netlab.capture.files.blocks import PacketShape
from netlab.capture.files.checkpoint import FlowState
from netlab.capture.model import Direction, Endpoint, Outcome
from netlab.capture.synthesis import ACK, FIN, LONGEST_TCP_PAYLOAD, PSH, RST, SYN, SYN_OPTIONS, TCP, UDP, Heading
from netlab.capture.writer import MANY, SMALL, CaptureWriter

_ACKNOWLEDGE_AFTER: Final = 1 << 24
"""Bytes one way without a packet the other way, after which a pure ACK is written (the window announced is 1 GiB)."""
_MODULO: Final = 0xFFFFFFFF
_NUMBERS: Final = Struct(">II").pack
_NOTHING = memoryview(b"")


class TcpRecord:
    """One connection in a capture; its two ways take what crosses."""

    __slots__ = ("_client", "appeared", "from_client", "from_server", "generation", "left", "number", "writer")

    def __init__(self, writer: CaptureWriter, client: Endpoint, server: Endpoint) -> None:
        self.writer = writer
        self.number = writer.flow_opened(self)
        # Each connection has its own initial sequence numbers, or a port used again would look like a retransmission.
        first = self.number * 2654435761 & _MODULO
        self.from_client = TcpWay(self, Heading(client, server), first, to_server=True)
        self.from_server = TcpWay(self, Heading(server, client), first ^ 0x5A5A5A5A, to_server=False)
        self.from_client.other, self.from_server.other = self.from_server, self.from_client
        self.generation = writer.generation
        self._client = client
        self.left = self.appeared = False

    def meet(self, server: Endpoint) -> None:
        """The server is not the one that was assumed. Call this before `opened`."""
        self.from_client.heading, self.from_server.heading = (
            Heading(self._client, server),
            Heading(server, self._client),
        )

    def way(self, direction: Direction) -> TcpWay:
        """The record of one direction."""
        return self.from_client if direction is Direction.TO_SERVER else self.from_server

    def opened(self, time_ns: int, fate: str = "") -> None:
        """The three packets of a handshake. The first is the segment."""
        client, server = self.from_client, self.from_server
        self.writer.catch_up()
        self.writer.segment(time_ns, client.numbered(SYN, SYN_OPTIONS), _NOTHING, fate)
        self.writer.aside(time_ns, server.numbered(SYN | ACK, SYN_OPTIONS))
        self.writer.aside(time_ns, client.numbered(ACK))
        client.first, server.first = client.sequence, server.sequence
        self.appeared = True
        self.writer.settle()

    def introduce(self, time_ns: int) -> None:
        """In a capture that began after the connection, open it there, so that what follows makes sense."""
        if self.generation != self.writer.generation:
            self.generation = self.writer.generation
            self.from_client.begin_again()
            self.from_server.begin_again()
            self.opened(time_ns, "opened before this capture began")

    def state(self) -> FlowState | None:
        """Where the connection stands; None if the capture does not have it yet."""
        if not self.appeared or self.generation != self.writer.generation:
            return None
        ways = self.from_client, self.from_server
        firsts, ends = zip(*((way.first & _MODULO, way.sequence - way.first) for way in ways), strict=True)
        return FlowState(TCP, self.from_client.heading.ends, firsts, ends)

    def closed(self) -> None:
        """The connection is over both ways."""
        self.writer.flow_closed(self.number, self.left)


class TcpWay:
    """One direction of a connection in a capture: its next sequence number, and what is acknowledged.

    ``sequence`` and ``first``, the number of its first byte, count on beyond 32 bits.
    """

    __slots__ = (
        "_before",
        "_crossed",
        "_record",
        "_shape",
        "_unacknowledged",
        "_waiting_short",
        "_writer",
        "first",
        "heading",
        "other",
        "sequence",
        "to_server",
    )

    other: TcpWay

    def __init__(self, record: TcpRecord, heading: Heading, first: int, *, to_server: bool) -> None:
        self._record, self._writer, self.heading = record, record.writer, heading
        self._waiting_short = record.writer.waiting_short
        self._shape: PacketShape | None = None
        self.to_server = to_server
        self.sequence = self.first = first
        self._unacknowledged = self._crossed = self._before = 0

    @property
    def before(self) -> int:
        """Bytes that crossed before the writer's capture began: its positions count from there."""
        return self._before if self._record.generation == self._writer.generation else self._crossed

    def begin_again(self) -> None:
        """Another capture has begun."""
        self._before = self._crossed

    def numbered(self, flags: int, options: bytes = b"", length: int = 0) -> bytes:
        """The next header this way. SYN and FIN count one in the sequence, the payload its bytes (RFC 9293 §3.4)."""
        acknowledged = self.other.sequence & _MODULO if flags & ACK else 0
        header = self.heading.tcp(self.sequence & _MODULO, acknowledged, flags, length, options)
        self.sequence += length + (flags & SYN > 0) + (flags & FIN > 0)
        self._unacknowledged += length
        self.other._unacknowledged = 0
        return header

    def carried(self, time_ns: int, payload: memoryview, fate: str = "", original: memoryview | None = None) -> None:
        """Bytes crossed. They are not needed after this returns."""
        if self._record.generation != self._writer.generation:
            self._record.introduce(time_ns)
        short = self._waiting_short
        if len(payload) <= SMALL and original is None and not fate:
            short.append((self, time_ns, bytes(payload)))
            if len(short) >= MANY:
                self._writer.catch_up()
                self._writer.settle()
        else:
            self._writer.catch_up()
            self.record(time_ns, payload, fate, original)

    def record(self, time_ns: int, payload: memoryview, fate: str = "", original: memoryview | None = None) -> None:
        """Record bytes that crossed, after those before them."""
        writer, length = self._writer, len(payload)
        self._crossed += length
        writer.crossed(length, to_server=self.to_server)
        if length <= LONGEST_TCP_PAYLOAD:
            writer.segment(time_ns, self.numbered(PSH | ACK, b"", length), payload, fate, original, _outcome(original))
        else:
            self._carried_in_pieces(time_ns, payload, fate, original)
        writer.settle()
        if self._unacknowledged > _ACKNOWLEDGE_AFTER:
            writer.aside(time_ns, self.other.numbered(ACK))

    def block(self, time_ns: int, payload: bytes) -> bytes:
        """The same as blocks that somebody else counts and keeps."""
        length, sequence, other = len(payload), self.sequence, self.other
        shape = self._shape
        if shape is None or shape.length != length:  # segments come in runs of one length
            flags = PSH | ACK if length else ACK
            self._shape = shape = PacketShape(self.heading.tcp(0, 0, flags, length), length)
        self.sequence = sequence + length
        self._crossed += length
        self._unacknowledged += length
        other._unacknowledged = 0
        block = shape.block(time_ns, _NUMBERS(sequence & _MODULO, other.sequence & _MODULO), payload)
        return block if self._unacknowledged <= _ACKNOWLEDGE_AFTER else block + other.block(time_ns, b"")

    def _carried_in_pieces(self, time_ns: int, payload: memoryview, fate: str, original: memoryview | None) -> None:
        """More than one packet can hold. The original bytes stand before the first."""
        outcome = _outcome(original)
        for start in range(0, len(payload), LONGEST_TCP_PAYLOAD):
            piece = payload[start : start + LONGEST_TCP_PAYLOAD]
            self._writer.segment(time_ns, self.numbered(PSH | ACK, b"", len(piece)), piece, fate, original, outcome)
            original = None

    def dropped(self, time_ns: int, payload: memoryview, fate: str) -> None:
        """Bytes were dropped: a packet without payload records that, and a block before it keeps the bytes."""
        self._writer.catch_up()
        self._record.introduce(time_ns)
        self._writer.aside(time_ns, self.numbered(ACK), fate, payload, Outcome.DROPPED)
        self._writer.changed = True
        self._writer.settle()

    def finished(self, time_ns: int, fate: str = "") -> None:
        """This side sent its end."""
        self._writer.catch_up()
        self._record.introduce(time_ns)
        self._writer.segment(time_ns, self.numbered(FIN | ACK), _NOTHING, fate)
        if not (self.to_server or self._record.left):
            self._record.left = True
            self._writer.flow_left()
        self._writer.aside(time_ns, self.other.numbered(ACK))
        self._writer.settle()

    def reset(self, time_ns: int, fate: str = "") -> None:
        """This side broke the connection off."""
        self._writer.catch_up()
        self._record.introduce(time_ns)
        self._writer.segment(time_ns, self.numbered(RST | ACK), _NOTHING, fate)
        self._writer.settle()


class UdpRecord:
    """One address pair in a capture; its two ways take what crosses."""

    __slots__ = ("_client", "from_client", "from_server", "number", "writer")

    def __init__(self, writer: CaptureWriter, client: Endpoint, server: Endpoint) -> None:
        self.writer = writer
        self.number = writer.flow_opened(self)
        self._client = client
        self.from_client = UdpWay(writer, Heading(client, server), to_server=True)
        self.from_server = UdpWay(writer, Heading(server, client), to_server=False)

    def meet(self, server: Endpoint) -> None:
        """The server has changed."""
        self.from_client.heading, self.from_server.heading = (
            Heading(self._client, server),
            Heading(server, self._client),
        )

    def way(self, direction: Direction) -> UdpWay:
        """The record of one direction."""
        return self.from_client if direction is Direction.TO_SERVER else self.from_server

    def state(self) -> FlowState:
        """That it is open."""
        return FlowState(UDP, self.from_client.heading.ends)

    def closed(self) -> None:
        """The pair was forgotten."""
        self.writer.flow_closed(self.number)


class UdpWay:
    """One direction of an address pair in a capture."""

    __slots__ = ("_to_server", "_writer", "heading")

    def __init__(self, writer: CaptureWriter, heading: Heading, *, to_server: bool) -> None:
        self._writer, self.heading, self._to_server = writer, heading, to_server

    def carried(self, time_ns: int, payload: memoryview, fate: str = "", original: memoryview | None = None) -> None:
        """A datagram crossed."""
        self._took(time_ns, payload, fate, original, _outcome(original))

    def dropped(self, time_ns: int, payload: memoryview, fate: str) -> None:
        """A datagram was dropped."""
        self._took(time_ns, payload, fate, None, Outcome.DROPPED)

    def _took(
        self, time_ns: int, payload: memoryview, fate: str, original: memoryview | None, outcome: Outcome
    ) -> None:
        self._writer.catch_up()
        self._writer.crossed(len(payload), to_server=self._to_server)
        self._writer.segment(time_ns, self.heading.udp(payload), payload, fate, original, outcome)
        self._writer.settle()


def _outcome(original: memoryview | None) -> Outcome:
    """What became of bytes that went on."""
    return Outcome.DELIVERED if original is None else Outcome.CHANGED
