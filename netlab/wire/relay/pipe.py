"""One direction of a stream: reads from one socket and writes to the other.

It stops reading while what it has read cannot leave, so a slow reader slows the sender.
"""

from __future__ import annotations

import time
from typing import Final

from netlab.capture.model import Direction
from netlab.wire.impairment.impairment_lane import REPLAYED, Departure, ImpairmentLane, Leaving
from netlab.wire.impairment.queues import EVERYTHING
from netlab.wire.loop import Alarm
from netlab.wire.relay.buffers import MUCH, SIZE, SMALL
from netlab.wire.relay.flow_socket import FlowSocket
from netlab.wire.relay.pipe_sink import Ends, PipeSink, StreamEnd
from netlab.wire.relay.stats import WayStats

LANE_LIMIT: Final = 1 << 20
"""Bytes that faults may hold in one direction before its sender is slowed."""
AT_ONCE: Final = 256
"""Pieces that leave the faults of one direction in a row before others have their turn."""


class Pipe(PipeSink):
    """One direction of a flow: from ``source`` to ``sink``, through the faults if there are some."""

    __slots__ = ("_alarm", "_at_most", "_lane", "_recv_into", "_time_ns", "count")

    other: Pipe

    def __init__(self, flow: Ends, direction: Direction, source: FlowSocket, sink: FlowSocket) -> None:
        super().__init__(flow, direction, source, sink)
        source.reader = sink.writer = self
        self._time_ns, self._recv_into = flow.context.time_ns, source.socket.recv_into
        self._lane: ImpairmentLane | None = None  # until the server is there
        self._at_most = SIZE
        self._alarm = Alarm(self._context.loop, self._due)
        self.count = 0

    @property
    def stats(self) -> WayStats:
        """What came, and what waits here."""
        lane, before = self._lane, self._way.before
        waiting = sum(len(item) for item in self._pending if isinstance(item, memoryview))
        if lane is None:
            return WayStats(self.count, waiting=waiting, before=before)
        return WayStats(self.count, lane.held, lane.pieces, waiting + lane.payload, before)

    def pump(self) -> None:
        """Read once, and pass it on. The capture is written after the bytes have left."""
        if self._pending or self.ended:
            return
        buffers = self._buffers
        try:
            count = self._recv_into(buffers.buffer, self._at_most if buffers.held < MUCH else SMALL)
        except BlockingIOError:
            return
        except OSError:
            self.source_broke()
            return
        if not count:
            self._end()
            return
        now = self._time_ns()
        self.count += count
        payload = buffers.buffer[:count]
        if self._lane is not None:
            self._impair(self._lane, payload)
        elif self._write(payload):
            self._way.carried(now, payload)

    def source_broke(self) -> None:
        """The source broke the connection off: so does the wire."""
        self.flow.reset(self.direction)

    def read_on(self) -> None:
        """Read if there is room for it, else let the sender wait."""
        full = bool(self._pending) or (self._lane is not None and self._lane.held >= self._lane_limit())
        self.source.want_read(not (full or self.ended or self.dead))

    def impair(self) -> None:
        """The faults have changed: what the old ones held leaves at once."""
        old = self._lane
        self._alarm.switch_off()
        self._take(self._context.lane(self.flow.facts, self.direction, self._due, old))
        if old is not None:
            old.release()
            self._depart(old)
        if not self.flow.closed:
            self.read_on()

    def intercept(self) -> None:
        """Change which segments are held by hand."""
        self._take(self._context.intercepted(self._lane, self.flow.facts, self.direction, self._due))

    def replay(self, payload: bytes) -> str:
        """Let bytes leave that did not come; returns in a few words why that failed, or nothing."""
        if self.ended or self.finished or self.dead:
            return "this direction of the flow has ended"
        if self._lane is not None:
            self._impair(self._lane, memoryview(payload), REPLAYED)
        else:
            self._leave(Departure(Leaving.BYTES, memoryview(payload), REPLAYED))
        return ""

    def _take(self, lane: ImpairmentLane | None) -> None:
        self._lane, self._at_most = lane, SIZE if lane is None else SMALL

    def discard(self) -> None:
        """Forget what waits, in the faults as well; nothing more is written."""
        super().discard()
        if self._lane is not None:
            self._buffers.held -= self._lane.held
            self._lane.discard()
            self._lane = None
        self._alarm.switch_off()

    def _lane_limit(self) -> int:
        return LANE_LIMIT if self._buffers.held < MUCH else SMALL

    def _end(self) -> None:
        """The source sent its end. If it takes no more either, it broke before it could send everything."""
        self.ended = True
        self.source.want_read(False)
        if self.other.dead:
            self.source_broke()
        elif self._lane is not None:
            before = self._lane.held
            self._lane.finish(time.monotonic())
            self._buffers.held += self._lane.held - before
            self._depart(self._lane)
        else:
            self.finish()

    def _impair(self, lane: ImpairmentLane, payload: memoryview, fate: str = "") -> None:
        """Send bytes through the faults."""
        before = lane.held
        lane.enter(bytes(payload), time.monotonic(), fate)
        self._buffers.held += lane.held - before
        self._depart(lane)
        if not self.flow.closed:
            self.read_on()

    def _depart(self, lane: ImpairmentLane) -> None:
        """Let what is due leave the lane, and come back for the rest."""
        before, now = lane.held, time.monotonic()
        departures = lane.leave(now, AT_ONCE if lane is self._lane else EVERYTHING)
        self._buffers.held += lane.held - before
        for departure in departures:
            if not self.flow.closed:
                self._leave(departure)
        if lane is self._lane:
            self._alarm.ring_by(max(lane.next_release, now))  # what is due already: after the others had their turn

    def _due(self) -> None:
        """Something in the lane is due, or a person released a segment."""
        if self._lane is not None and not self.flow.closed:
            self._depart(self._lane)
            if not self.flow.closed:
                self.read_on()

    def _leave(self, departure: Departure) -> None:
        now = self._context.time_ns()
        match departure.what:
            case Leaving.BYTES:
                if self._write(departure.payload):
                    self._way.carried(now, departure.payload, departure.fate, departure.original)
            case Leaving.DROPPED:
                self._way.dropped(now, departure.payload, departure.fate)
            case ending:
                self._finally(StreamEnd(ending.value), departure.fate)
