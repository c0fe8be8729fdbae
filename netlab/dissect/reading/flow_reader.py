"""Reads a flow with a flow dissector, once and forward, and answers for any segment from the checkpoint before it.

Memory is bounded by the number of checkpoints and by `MOST_STATE`, time by `netlab.dissect.reading.flow_bytes.REREAD`.
It starts no thread, but may be called from several.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from threading import RLock

from netlab.capture.model import Direction, Transport
from netlab.capture.stream import Chunk
from netlab.dissect.fields import Dissection, Field
from netlab.dissect.flow import MOST_STATE, FlowDissector, Run
from netlab.dissect.reading.clipping import within
from netlab.dissect.reading.dissector_state import DissectorState, Reading
from netlab.dissect.reading.flow_bytes import Streams
from netlab.dissect.reading.own.own_error import OwnError
from netlab.dissect.reading.state_size import state_size

MOST_CHECKPOINTS = 128
_MOST_NEAR = 16
"""Further checkpoints, near the segments that were asked for last."""
_BYTES, _CHUNKS = 1 << 16, 256
"""A checkpoint is made after so many bytes or chunks, at first; twice as many each time there are too many."""
_AT_ONCE, _SEGMENTS_AT_ONCE = 1 << 15, 100
_MOST_SUMMARIES = 4096
_MOST_RESTARTS = 8
_MOST_FIELDS = 5000
"""Messages of a stream that are listed."""


class FlowReader:
    """One flow of a capture, read by a dissector that ``make`` makes. ``streams`` may grow, in one thread."""

    def __init__(
        self, make: Callable[[], FlowDissector], streams: Streams, transport: Transport = Transport.TCP
    ) -> None:
        self._make, self._streams, self._transport = make, streams, transport
        self._lock = RLock()
        self._restarts = 0
        self._summaries: dict[int, str] = {}
        self.problem = ""
        """Why the dissector was given up, if it was."""
        self._checkpoints: list[DissectorState] = []

    def _begin(self) -> None:
        self._spacing = 1
        self._checkpoints = []
        self._near: deque[DissectorState] = deque(maxlen=_MOST_NEAR)
        self._since = (0, 0)  # bytes and chunks since the last checkpoint
        self._said = dict.fromkeys(Direction, "")
        try:
            self._head = DissectorState(self._make(), self._transport)
            self._checkpoints.append(self._head.copy())
        except Exception as error:  # noqa: BLE001 - a person's own dissector may raise anything
            self._give_up(error)

    def _give_up(self, error: BaseException) -> None:
        self.problem = why_given_up(error)
        self._summaries.clear()

    def follow(self, streams: Streams) -> None:
        """Go on with these streams, which are the same or have grown."""
        self._streams = streams

    # Forward

    def advance(self, seconds: float = 1e9) -> bool:
        """Read what has come, for about so long; whether there is more to read."""
        until = time.monotonic() + seconds
        while not self.problem:
            with self._lock:
                if not self._settled() or (step := self._head.next(self._streams)) is None:
                    return False
                self._read(step)
            if time.monotonic() > until:
                return True
        return False

    def _settled(self) -> bool:
        """Whether the head's places still fit the streams; if bytes came before them, begin again."""
        if not self._checkpoints and not self.problem:
            self._begin()
        if self.problem:
            return False
        if not self._head.relocate(self._streams):
            self._restarts += 1
            if self._restarts <= _MOST_RESTARTS:
                self._begin()
        return not self.problem

    def _read(self, step: tuple[Direction, Chunk]) -> None:
        try:
            way, chunk = step
            for reading in self._head.step(self._streams, way, chunk, brief=True):
                self._said[reading.way] = reading.found.summary
            self.remember(chunk.segment, self._said[way])
            self._keep(len(step[1].view))
        except Exception as error:  # noqa: BLE001 - as above
            self._give_up(error)

    def remember(self, segment: int, said: str) -> None:
        """Keep a segment's line."""
        self._summaries[segment] = said
        if len(self._summaries) > _MOST_SUMMARIES:
            del self._summaries[next(iter(self._summaries))]

    def _keep(self, length: int) -> None:
        """Make a checkpoint if it is time for one; drop every second if there are too many."""
        self._since = (self._since[0] + length, self._since[1] + 1)
        if self._since[0] < _BYTES * self._spacing and self._since[1] < _CHUNKS * self._spacing:
            return
        self._since = (0, 0)
        dissector = self._head.dissector
        if state_size(getattr(dissector, "state", dissector), MOST_STATE) > MOST_STATE:
            raise MemoryError(f"it remembers more than {MOST_STATE >> 10} KiB")
        self._checkpoints.append(self._head.copy())
        if len(self._checkpoints) > MOST_CHECKPOINTS:
            del self._checkpoints[1::2]
            self._spacing *= 2

    # For one segment

    def summary(self, segment: int) -> str | None:
        """A segment's line; None if it is not known, or no longer."""
        return self._summaries.get(segment)

    def quick(self, way: Direction, start: int, end: int, segment: int) -> bool:
        """Whether a segment is answered within some milliseconds: little lies between it and a checkpoint."""
        if not self._lock.acquire(blocking=False):  # another thread is at work
            return False
        try:
            if self.problem:
                return True
            if self._short():
                return True
            if not self._checkpoints:
                return False
            near = self._checkpoint_before(way, start)
            return end - near.places[way].position <= _AT_ONCE and segment - near.latest <= _SEGMENTS_AT_ONCE
        finally:
            self._lock.release()

    def _short(self) -> bool:
        """Whether the whole flow, so far, is read within some milliseconds."""
        streams = self._streams.values()
        if sum(map(len, streams)) > _SEGMENTS_AT_ONCE:
            return False
        return sum(chunks[-1].offset + chunks[-1].length for chunks in streams if len(chunks)) <= _AT_ONCE

    def alone(self, way: Direction, data: memoryview) -> Dissection:
        """Bytes that are not part of the stream, as if a flow began with them."""
        try:
            return self._make().feed(Run(data, way, transport=self._transport))
        except Exception as error:  # noqa: BLE001 - as above
            return Dissection((), problem=why_given_up(error))

    def at(self, way: Direction, start: int, end: int) -> Dissection:
        """The fields that overlap ``start`` to ``end`` of a stream, as of the moment when the last of them came.

        Offsets count from ``start``; a message that began earlier has one below 0.
        """
        readings: list[Reading] = []
        with self._lock:
            if self._settled():
                try:
                    readings = self._readings(way, start, end)
                except Exception as error:  # noqa: BLE001 - as above
                    self._give_up(error)
        if self.problem:
            return Dissection((), problem=self.problem)
        return _together(readings, start, end)

    def _readings(self, way: Direction, start: int, end: int) -> list[Reading]:
        state = self._checkpoint_before(way, start).copy()
        state.relocate(self._streams)
        place = state.places[way]
        readings: list[Reading] = []
        steps = 0
        while place.position < end and (step := state.next(self._streams)) is not None:
            side, chunk = step
            steps += 1
            if not steps % _CHUNKS and place.position <= start:
                self._near.append(state.copy())
            last = side is way and chunk.offset + len(chunk.view) > start
            if last and place.shown < place.position and place.position < end:
                readings.append(state.show(self._streams, way))
            stop = side is way and chunk.offset + len(chunk.view) >= end
            for reading in state.step(self._streams, side, chunk):
                if reading.end == chunk.offset + len(chunk.view):
                    self.remember(chunk.segment, reading.found.summary)
                readings = [*readings, reading] if reading.way is way else readings
            if stop and place.shown < place.position:
                readings.append(state.show(self._streams, way))
            readings = [reading for reading in readings if reading.end > start]
        return readings

    def _checkpoint_before(self, way: Direction, start: int) -> DissectorState:
        """The latest checkpoint that has read nothing after ``start``."""
        before = [each for each in (*self._checkpoints, *self._near) if each.places[way].position <= start]
        return max(before or self._checkpoints[:1], key=lambda each: each.latest)


def why_given_up(error: BaseException) -> str:
    """Why a dissector was given up. One of a person's own says it itself."""
    said = str(error) if isinstance(error, OwnError) else f"{type(error).__name__}: {error}"
    return f"the dissector failed: {said}"


def _together(readings: list[Reading], start: int, end: int) -> Dissection:
    """What was read of a range: later readings replace what earlier ones said of the same bytes."""
    fields: list[Field] = []
    stops = [*(reading.offset for reading in readings), 1 << 62][1:]
    for reading, stop in zip(readings, stops, strict=False):
        kept = [field for field in reading.found.fields[:_MOST_FIELDS] if reading.offset + field.start < stop]
        fields += within(kept, reading.offset - start, end - start)
    if not readings:
        return Dissection(())
    last = readings[-1].found
    problem = last.problem or next((each.found.problem for each in readings if each.found.problem), "")
    return replace(last, fields=tuple(fields), problem=problem, taken=None)
