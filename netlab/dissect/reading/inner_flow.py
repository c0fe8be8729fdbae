"""What an encrypted flow says within its records, as a flow of its own, to be read and drawn like any other.

It knows no encryption: it is given the opened records of both directions.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence

from netlab.capture.model import Direction, Flow, Segment
from netlab.capture.stream import Chunk
from netlab.capture.view import CapturedSegments
from netlab.dissect.decrypted_record import Opened
from netlab.dissect.reading.flow_bytes import Streams


class InnerFlow:
    """A capture of one flow, whose streams are the application's bytes in its records; the segments are the outer ones.

    ``crossed`` are the streams that carried the records.
    """

    def __init__(
        self,
        capture: CapturedSegments,
        flow: Flow,
        records: Mapping[Direction, Sequence[Opened]],
        crossed: Streams,
    ) -> None:
        self._capture = capture
        self.flows = (flow,)
        self.streams = {way: _application_bytes(records.get(way, ()), crossed[way]) for way in Direction}

    @property
    def segments(self) -> Sequence[Segment]:
        """The segments that crossed."""
        return self._capture.segments

    @property
    def let_go(self) -> int:
        """How many of the oldest segments were let go."""
        return self._capture.let_go

    def stream(self, flow: Flow, way: Direction) -> Sequence[Chunk]:
        """What the records carried one way: a chunk for each."""
        return self.streams[way]

    def numbers(self, flow: Flow, after: int = 0) -> Iterable[int]:
        """The numbers of the segments behind a number."""
        return self._capture.numbers(flow, after)


def _application_bytes(records: Iterable[Opened], crossed: Sequence[Chunk]) -> list[Chunk]:
    found, at = list[Chunk](), 0
    for record in records:
        if record.words or not record.plaintext:  # the protocol's own: a handshake, an alert
            continue
        index = bisect_right(crossed, record.end - 1, key=lambda chunk: chunk.offset) - 1
        number = crossed[index].segment if 0 <= index < len(crossed) else 0
        found.append(Chunk(at, len(record.plaintext), memoryview(record.plaintext), number))
        at += len(record.plaintext)
    return found
