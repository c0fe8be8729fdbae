"""One direction of a stream: reads from one socket and writes to the other.

It reads no more while what it has read does not leave, so a slow reader slows the sender.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections import deque
from enum import Enum
from typing import TYPE_CHECKING, Final

from netlab.capture.model import Direction
from netlab.wire.impairment.impairment_lane import REPLAYED, Departure, Lane, Leaving
from netlab.wire.impairment.queues import EVERYTHING
from netlab.wire.loop import Alarm
from netlab.wire.relay.buffers import MODEST_ROOM, MUCH, ROOM
from netlab.wire.relay.flow_socket import Side

if TYPE_CHECKING:
    from netlab.wire.relay.stream_flow import StreamFlow

LANE_LIMIT: Final = 1 << 20
"""Bytes that faults may hold in one direction before its sender is slowed."""
AT_ONCE: Final = 256
"""Pieces that leave the faults of one direction in a row, before others have their turn."""


class Ending(Enum):
    """What comes after the last byte that is to be written."""

    FIN = "fin"
    CLOSE = "close"
    RESET = "reset"


class Pipe:
    """One direction of a flow: from ``source`` to ``sink``.

    ``ended``: the source said no more. ``finished``: so the sink was told. ``dead``: the sink takes no more.
    """

    __slots__ = (
        "_alarm",
        "_around",
        "_lane",
        "_pending",
        "_recv_into",
        "_room",
        "_rooms",
        "_send",
        "_time_ns",
        "_way",
        "count",
        "dead",
        "direction",
        "ended",
        "finished",
        "flow",
        "other",
        "sink",
        "source",
    )

    other: Pipe

    def __init__(self, flow: StreamFlow, direction: Direction, source: Side, sink: Side) -> None:
        self.flow, self.direction, self.source, self.sink = flow, direction, source, sink
        source.reads = sink.writes = self
        self._around, self._rooms = flow.around, flow.relay.rooms
        self._way, self._time_ns = flow.record.way(direction), flow.around.time_ns
        self._recv_into, self._send = source.socket.recv_into, sink.socket.send
        self._pending: deque[memoryview | tuple[Ending, str]] = deque()
        self._lane: Lane | None = None  # until the server is there
        self._room = ROOM
        self._alarm = Alarm(self._around.loop, self._due)
        self.count = 0
        self.ended = self.finished = self.dead = False

    def pump(self) -> None:
        """Read once, and pass it on. The capture is written after the bytes have left."""
        if self._pending or self.ended:
            return
        rooms = self._rooms
        try:
            count = self._recv_into(rooms.room, self._room if rooms.held < MUCH else MODEST_ROOM)
        except BlockingIOError:
            return
        except OSError:
            self.flow.reset(self.direction)
            return
        if not count:
            self._end()
            return
        now = self._time_ns()
        self.count += count
        payload = rooms.room[:count]
        if self._lane is not None:
            self._impede(self._lane, payload)
        elif self._write(payload):
            self._way.carried(now, payload)

    def drain(self) -> None:
        """The sink has room: write what waits, then read again."""
        pending, rooms = self._pending, self._rooms
        while pending:
            item = pending[0]
            if isinstance(item, tuple):
                pending.popleft()
                self._perform(*item)
                return
            try:
                sent = self._send(item)
            except BlockingIOError:
                return
            except OSError:
                self._sink_broke()
                return
            rooms.held -= sent
            if sent < len(item):
                pending[0] = item[sent:]
                return
            pending.popleft()
            rooms.give_back(item)
        self.sink.press(False)
        self.breathe()

    def breathe(self) -> None:
        """Read on if there is room for it, else let the sender wait."""
        full = bool(self._pending) or (self._lane is not None and self._lane.held >= self._lane_limit())
        self.source.listen(not (full or self.ended or self.dead))

    def impair(self) -> None:
        """The faults are others now: what the old ones held leaves at once."""
        old = self._lane
        self._alarm.switch_off()
        self._take(self._around.lane(self.flow.facts, self.direction, self._due, old))
        if old is not None:
            old.release()
            self._depart(old)
        if not self.flow.closed:
            self.breathe()

    def intercept(self) -> None:
        """Other segments than before are to be held by hand."""
        self._take(self._around.intercepted(self._lane, self.flow.facts, self.direction, self._due))

    def replay(self, payload: bytes) -> str:
        """Let bytes leave that did not come; in a few words why not, or nothing."""
        if self.ended or self.finished or self.dead:
            return "this direction of the flow has ended"
        if self._lane is not None:
            self._impede(self._lane, memoryview(payload), REPLAYED)
        else:
            self._leave(Departure(Leaving.BYTES, memoryview(payload), REPLAYED))
        return ""

    def _take(self, lane: Lane | None) -> None:
        self._lane, self._room = lane, ROOM if lane is None else MODEST_ROOM

    def drop(self) -> None:
        """Forget what waits; nothing more is written."""
        self.dead = True
        self._rooms.held -= sum(len(item) for item in self._pending if isinstance(item, memoryview))
        self._pending.clear()
        if self._lane is not None:
            self._rooms.held -= self._lane.held
            self._lane.discard()
            self._lane = None
        self._alarm.switch_off()

    def finish(self, fate: str = "", *, by_fault: bool = False) -> None:
        """Tell the sink that no more comes."""
        with contextlib.suppress(OSError):
            self.sink.socket.shutdown(socket.SHUT_WR)
        self._way.finished(self._around.time_ns(), fate)
        self.finished = True
        if self.other.finished:
            self.flow.close(how=fate, by_fault=by_fault)

    def _lane_limit(self) -> int:
        return LANE_LIMIT if self._rooms.held < MUCH else MODEST_ROOM

    def _write(self, payload: memoryview) -> bool:
        """Write, or keep what cannot be written yet; False where the sink is broken."""
        if self.dead:
            return False
        try:
            sent = 0 if self._pending else self._send(payload)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._sink_broke()
            return False
        if sent < len(payload):
            self._pending.append(self._rooms.keep(payload[sent:]))
            self.source.listen(False)
            self.sink.press(True)
        return True

    def _end(self) -> None:
        """The source said no more. If it takes no more either, it broke, and had more to say before it did."""
        self.ended = True
        self.source.listen(False)
        if self.other.dead:
            self.flow.reset(self.direction)
        elif self._lane is not None:
            before = self._lane.held
            self._lane.finish(time.monotonic())
            self._rooms.held += self._lane.held - before
            self._depart(self._lane)
        else:
            self.finish()

    def _sink_broke(self) -> None:
        """Its last bytes and its error are still to be read, by the other pipe, which then resets the flow."""
        self.drop()
        if self.other.ended:
            self.flow.reset(self.other.direction)
        else:
            self.sink.press(False)
            self.source.listen(False)

    def _perform(self, ending: Ending, fate: str) -> None:
        match ending:
            case Ending.FIN:
                self.sink.press(False)
                self.finish(fate)
            case Ending.CLOSE:
                self.flow.cut(fate)
            case Ending.RESET:
                self.flow.reset(self.direction, fate, by_fault=True)

    def _impede(self, lane: Lane, payload: memoryview, fate: str = "") -> None:
        """Through the faults."""
        before = lane.held
        lane.enter(bytes(payload), time.monotonic(), fate)
        self._rooms.held += lane.held - before
        self._depart(lane)
        if not self.flow.closed:
            self.breathe()

    def _depart(self, lane: Lane) -> None:
        """Let what is due leave the lane, and come back for the rest."""
        before, now = lane.held, time.monotonic()
        departures = lane.leave(now, AT_ONCE if lane is self._lane else EVERYTHING)
        self._rooms.held += lane.held - before
        for departure in departures:
            if not self.flow.closed:
                self._leave(departure)
        if lane is self._lane:
            self._alarm.ring_by(max(lane.next_release, now))  # what is due already: after the others had their turn

    def _due(self) -> None:
        """The lane has something that is due, or a person let something go on."""
        if self._lane is not None and not self.flow.closed:
            self._depart(self._lane)
            if not self.flow.closed:
                self.breathe()

    def _leave(self, departure: Departure) -> None:
        now = self._around.time_ns()
        match departure.what:
            case Leaving.BYTES:
                if self._write(departure.payload):
                    self._way.carried(now, departure.payload, departure.fate, departure.original)
            case Leaving.DROPPED:
                self._way.dropped(now, departure.payload, departure.fate)
            case ending:
                self._finally(Ending(ending.value), departure.fate)

    def _finally(self, ending: Ending, fate: str) -> None:
        """An ending comes after the bytes before it."""
        if self._pending:
            self._pending.append((ending, fate))
        else:
            self._perform(ending, fate)
