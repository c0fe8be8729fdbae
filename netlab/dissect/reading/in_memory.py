"""A flow that is not captured: given as pieces in order. For trying a dissector, and a picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from netlab.capture.model import Direction, Endpoint, Flow, Kind, Outcome, Segment, Transport
from netlab.capture.stream import Chunk
from netlab.dissect.fields import Dissection
from netlab.dissect.flow import FlowDissector
from netlab.dissect.picture import SeenFlow
from netlab.dissect.reading.flow_reader import FlowReader
from netlab.dissect.reading.seen_flow import NO_FACTS, seen_flow

Piece = tuple[Direction, bytes]
BEGAN_NS = 1_700_000_000_000_000_000
MILLISECOND = 1_000_000


def streams_of(pieces: Iterable[Piece]) -> dict[Direction, list[Chunk]]:
    """Both directions' streams, each piece a segment."""
    streams: dict[Direction, list[Chunk]] = {way: [] for way in Direction}
    for number, (way, data) in enumerate(pieces, 1):
        before = streams[way][-1] if streams[way] else Chunk(0, 0, memoryview(b""), 0)
        streams[way].append(Chunk(before.offset + before.length, len(data), memoryview(data), number))
    return streams


def read_pieces(
    make: Callable[[], FlowDissector], pieces: Iterable[Piece], transport: Transport = Transport.TCP
) -> list[Dissection]:
    """What a dissector says of each piece, as of the moment when it came; offsets count from the piece's first byte.

    Empty pieces are left out.
    """
    streams = streams_of(piece for piece in pieces if piece[1])
    reader = FlowReader(make, streams, transport)
    chunks = sorted(((way, chunk) for way in Direction for chunk in streams[way]), key=lambda each: each[1].segment)
    return [reader.at(way, chunk.offset, chunk.offset + chunk.length) for way, chunk in chunks]


class MemoryCapture:
    """A capture of one flow, made by hand. Between two segments lies 1 ms, unless ``after_ms`` says otherwise."""

    let_go = 0

    def __init__(self, transport: Transport = Transport.TCP, port: int = 20000) -> None:
        self.flow = Flow(1, transport, Endpoint("127.0.0.1", 50001), Endpoint("127.0.0.1", port))
        self.flows = [self.flow]
        self.segments: list[Segment] = []
        self._chunks: dict[Direction, list[Chunk]] = {way: [] for way in Direction}

    def add(
        self,
        way: Direction,
        data: bytes = b"",
        kind: Kind = Kind.DATA,
        *,
        after_ms: float = 1,
        outcome: Outcome = Outcome.DELIVERED,
        fate: str = "",
    ) -> Segment:
        """Add a segment."""
        before = self.segments[-1].time_ns if self.segments else BEGAN_NS - MILLISECOND
        chunks = self._chunks[way]
        end = chunks[-1].offset + chunks[-1].length if chunks else 0
        segment = Segment(
            number=len(self.segments) + 1,
            time_ns=before + round(after_ms * MILLISECOND),
            flow=self.flow,
            direction=way,
            kind=kind,
            length=len(data),
            data=memoryview(data),
            offset=end if self.flow.transport is Transport.TCP else 0,
            fate=fate,
            outcome=outcome,
        )
        self.segments.append(segment)
        if data and outcome is not Outcome.DROPPED:
            chunks.append(Chunk(end, segment.length, segment.data, segment.number))
        return segment

    def stream(self, flow: Flow, way: Direction) -> Sequence[Chunk]:
        """What went one way, by position."""
        return self._chunks[way]

    def numbers(self, flow: Flow, after: int = 0) -> Sequence[int]:
        """The numbers of the segments behind a number."""
        return range(after + 1, len(self.segments) + 1)


def seen_pieces(
    make: Callable[[], FlowDissector],
    pieces: Iterable[Piece],
    transport: Transport = Transport.TCP,
    facts: Mapping[str, object] = NO_FACTS,
) -> SeenFlow:
    """The flow that a picture is drawn from: its segments are the pieces, 1 ms apart."""
    capture = MemoryCapture(transport)
    for way, data in pieces:
        capture.add(way, data)
    return seen_flow(capture, capture.flow, make, facts)
