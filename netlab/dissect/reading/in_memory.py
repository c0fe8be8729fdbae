"""A flow that is not captured: given as pieces in order. For trying a dissector."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from netlab.capture.model import Direction, Transport
from netlab.capture.stream import Chunk
from netlab.dissect.fields import Dissection
from netlab.dissect.flow import FlowDissector
from netlab.dissect.reading.flow_reader import FlowReader

Piece = tuple[Direction, bytes]


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
