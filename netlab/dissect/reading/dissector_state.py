"""A flow dissector in the middle of a flow: what it remembers, how far it has read each direction, and how it goes on.

It knows no checkpoints and no threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import NamedTuple

from netlab.capture.model import Direction, Transport
from netlab.capture.stream import Chunk
from netlab.dissect.fields import Dissection
from netlab.dissect.flow import MOST_WAITING, FlowDissector, Run
from netlab.dissect.reading.flow_bytes import ReadSoFar, Streams, bytes_between


class Reading(NamedTuple):
    """What the dissector said of one run, which begins at ``offset`` in its stream, and the run's bytes."""

    way: Direction
    offset: int
    end: int
    found: Dissection
    data: memoryview = memoryview(b"")


class DissectorState:
    """A dissector, and how far it has read each direction. ``streams`` are the same at each call, or have grown."""

    def __init__(
        self, dissector: FlowDissector, transport: Transport, places: dict[Direction, ReadSoFar] | None = None
    ) -> None:
        self.dissector, self.transport = dissector, transport
        self.places = {way: ReadSoFar() for way in Direction} if places is None else places

    def copy(self) -> DissectorState:
        """The same, to go on from later."""
        places = {way: place.copy() for way, place in self.places.items()}
        return DissectorState(deepcopy(self.dissector), self.transport, places)

    @property
    def latest(self) -> int:
        """The newest segment that was read."""
        return max(place.latest for place in self.places.values())

    def relocate(self, streams: Streams) -> bool:
        """Find the places in the streams again. False: bytes came before them that should have been read."""
        found = [place.relocate(streams[way]) for way, place in self.places.items()]
        return all(found)

    def next(self, streams: Streams) -> tuple[Direction, Chunk] | None:
        """The chunk that came first of those that are not read yet, and its direction."""
        found: tuple[int, Direction, Chunk] | None = None
        for way, place in self.places.items():
            chunks = streams[way]
            if place.index < len(chunks):
                chunk = chunks[place.index]
                order = max(place.latest, chunk.segment)
                if found is None or order < found[0]:
                    found = order, way, chunk
        return found[1:] if found is not None else None

    def step(self, streams: Streams, way: Direction, chunk: Chunk, *, brief: bool = False) -> Iterator[Reading]:
        """Read a chunk. What the other direction has not shown yet is shown before. ``brief``: only for summaries."""
        other = self.places[way.other]
        if other.may_show():
            yield self.show(streams, way.other, brief=brief)
        place = self.places[way]
        if self.transport is Transport.UDP:
            place.position = place.taken = place.shown = chunk.offset
            place.lost = 0
        place.come(chunk)
        if place.may_show():
            yield self.show(streams, way, brief=brief)
        if self.transport is Transport.UDP:
            place.taken = place.position
        elif place.position - place.taken > MOST_WAITING:
            place.skip(place.position)

    def show(self, streams: Streams, way: Direction, end: int | None = None, *, brief: bool = False) -> Reading:
        """Give the dissector what waits in one direction, up to ``end``."""
        place = self.places[way]
        stop = place.position if end is None else min(end, place.position)
        data = bytes_between(streams[way], place.taken, stop)
        found = self.dissector.feed(Run(data, way, place.taken, place.lost, self.transport, brief))
        if not isinstance(found, Dissection):
            raise TypeError(f"feed returned a {type(found).__name__}, not a Dissection")
        reading = Reading(way, place.taken, place.taken + len(data), found, data)
        done = found.done(len(data))
        place.lost = 0 if done or not place.lost else place.lost
        place.taken += done
        place.shown = max(stop, place.taken)
        place.wanted = stop + found.needs
        if reading.end < stop:  # the capture has let go of what lies between
            place.skip(stop)
        return reading
