"""Flows to draw pictures of, made by hand: ``flow_of("http", (UP, b"GET / …"), (DOWN, b"…"), FIN)``.

A piece is a direction and bytes, or a `Cross` for all else; between two segments lies 1 ms. The protocol is a name of
`netlab.dissect.protocols` or of a topic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from netlab.capture.model import Direction, Endpoint, Kind, Outcome, Segment, Transport
from netlab.capture.packet_recorder import TcpRecord, TcpWay, UdpRecord
from netlab.capture.writer import CaptureWriter
from netlab.dissect.picture import Picture, Row, SeenFlow
from netlab.dissect.reading.in_memory import MemoryCapture
from netlab.dissect.reading.seen_flow import NO_FACTS, seen_flow
from netlab.topics.topic_protocols import named

UP, DOWN = Direction.TO_SERVER, Direction.TO_CLIENT


@dataclass(frozen=True, slots=True)
class Cross:
    """A segment: ``after_ms`` the one before it."""

    way: Direction
    data: bytes = b""
    kind: Kind = Kind.DATA
    after_ms: float = 1
    outcome: Outcome = Outcome.DELIVERED
    fate: str = ""

    def late(self, after_ms: float) -> Cross:
        """The same, so much later."""
        return replace(self, after_ms=after_ms)


Piece = Cross | tuple[Direction, bytes]
OPEN = Cross(UP, kind=Kind.OPEN)
FIN, FIN_BACK = Cross(UP, kind=Kind.FIN), Cross(DOWN, kind=Kind.FIN)
RST, RST_BACK = Cross(UP, kind=Kind.RESET), Cross(DOWN, kind=Kind.RESET)


def dropped(way: Direction, data: bytes, after_ms: float = 1) -> Cross:
    """A segment that the wire lost."""
    return Cross(way, data, after_ms=after_ms, outcome=Outcome.DROPPED, fate="loss")


def captured(*pieces: Piece, transport: Transport = Transport.TCP, port: int = 20000) -> MemoryCapture:
    """A capture of one flow."""
    capture = MemoryCapture(transport, port)
    for piece in pieces:
        one = piece if isinstance(piece, Cross) else Cross(*piece)
        capture.add(one.way, one.data, one.kind, after_ms=one.after_ms, outcome=one.outcome, fate=one.fate)
    return capture


def flow_of(
    protocol: str,
    *pieces: Piece,
    transport: Transport = Transport.TCP,
    facts: Mapping[str, object] = NO_FACTS,
    port: int = 20000,
) -> SeenFlow:
    """The flow, read as this protocol."""
    found = named(protocol)
    assert found is not None, f"no protocol or topic {protocol}"
    capture = captured(*pieces, transport=transport, port=port)
    return seen_flow(capture, capture.flow, found.make, facts)


def as_text(picture: Picture | None) -> str:
    """A picture as lines, for a golden file: the segment of each row before it, its tone behind it."""
    if picture is None:
        return "nothing\n"
    lines = [picture.title, picture.note, *(line for row in picture.rows for line in _lines(row, 0))]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _lines(row: Row, depth: int) -> list[str]:
    number = f"#{row.segment}" if row.segment else ""
    tone = "" if row.tone.value == "plain" else f"  [{row.tone.value}]"
    own = f"{number:>5} {'  ' * depth}{row.text}{tone}"
    return [own, *(line for each in row.details for line in _lines(each, depth + 1))]


def written(path: Path, *captures: MemoryCapture) -> Path:
    """These flows as a capture file, one after the other, at the times that they have."""
    writer = CaptureWriter(str(path), 1 << 20)
    for number, capture in enumerate(captures):
        server = capture.flow.server
        client = Endpoint("127.0.0.1", capture.flow.client.port + number)
        tcp = capture.flow.transport is Transport.TCP
        record = TcpRecord(writer, client, server) if tcp else UdpRecord(writer, client, server)
        for segment in capture.segments:
            _write(record, segment)
            writer.settle()
    writer.close()
    return path


def _write(record: TcpRecord | UdpRecord, segment: Segment) -> None:
    way, when = record.way(segment.direction), segment.time_ns
    if segment.kind is Kind.OPEN and isinstance(record, TcpRecord):
        record.opened(when)
    elif segment.outcome is Outcome.DROPPED:
        way.dropped(when, segment.data, segment.fate)
    elif segment.kind is Kind.DATA:
        way.carried(when, segment.data, segment.fate)
    elif isinstance(way, TcpWay):
        (way.finished if segment.kind is Kind.FIN else way.reset)(when)
