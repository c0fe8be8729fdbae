"""One client address, the socket that stands for it before the server, and what the faults hold either way."""

from __future__ import annotations

import socket
import time
from dataclasses import replace
from typing import Final, Protocol

from netlab.capture.model import Direction, Endpoint, Flow, Transport
from netlab.capture.packet_recorder import UdpWay
from netlab.capture.uncaptured import UncapturedWay, datagram_record
from netlab.names import Addresses, endpoint_of
from netlab.wire.facts import FlowClosed
from netlab.wire.impairment.impairment_lane import REPLAYED, Departure, ImpairmentLane, Leaving
from netlab.wire.impairment.queues import EVERYTHING
from netlab.wire.loop import READ, Alarm
from netlab.wire.relay.context import Context
from netlab.wire.relay.stats import FlowStats, WayStats

LANE_LIMIT: Final = 1 << 22
"""Bytes that faults may hold in one direction; beyond them datagrams are dropped, as by any full queue."""
AT_ONCE: Final = 64
MOST_UNANSWERED: Final = 16
"""Datagrams kept for the server's next address, in case nothing listens at this one."""

Key = tuple[socket.socket, Endpoint]
"""What distinguishes flows: where the client sends to, and its address."""


class FlowOwner(Protocol):
    """What a flow knows of the relay that it belongs to."""

    context: Context
    room: memoryview
    """What datagrams are read into."""

    @property
    def targets(self) -> Addresses:
        """Where the server is."""

    def targets_behind(self, target: Endpoint) -> Addresses:
        """The targets to try after this one."""

    def upstream(self, target: Endpoint) -> socket.socket:
        """A socket that stands for a client before the server."""

    def refused(self) -> None:
        """Nothing listens at the server's address."""

    def touch(self, flow: DatagramFlow) -> None:
        """A flow is used."""

    def forget(self, flow: DatagramFlow) -> None:
        """A flow is over."""


class DatagramWay:
    """One direction of a flow: its record in the capture, and its faults."""

    __slots__ = ("_alarm", "_lane", "_record", "count", "direction", "flow")

    def __init__(self, flow: DatagramFlow, direction: Direction, record: UdpWay | UncapturedWay) -> None:
        self.flow, self.direction, self._record = flow, direction, record
        self._alarm = Alarm(flow.context.loop, self._due)
        self._lane: ImpairmentLane | None = None
        self.count = 0
        self.impair()

    def carry(self, payload: memoryview) -> None:
        """A datagram came this way."""
        self.count += len(payload)
        if self._lane is None:
            self._send(payload)
        elif self._lane.held + len(payload) > LANE_LIMIT:
            self._record.dropped(self.flow.context.time_ns(), payload, "the wire holds too much already")
        else:
            self._lane.enter(bytes(payload), time.monotonic())
            self._depart(self._lane)

    def impair(self) -> None:
        """The faults have changed: what the old ones held leaves at once."""
        old = self._lane
        self._alarm.switch_off()
        self._lane = self.flow.context.lane(self.flow.facts, self.direction, self._due, old)
        if old is not None:
            old.release()
            self._depart(old)

    def intercept(self) -> None:
        """Change which segments are held by hand."""
        self._lane = self.flow.context.intercepted(self._lane, self.flow.facts, self.direction, self._due)

    def replay(self, payload: bytes) -> None:
        """Let a datagram leave that did not come."""
        if self._lane is not None:
            self._lane.enter(payload, time.monotonic(), REPLAYED)
            self._depart(self._lane)
        else:
            self._send(memoryview(payload), REPLAYED)

    def send_again(self, payload: bytes) -> None:
        """Send a datagram once more, past the faults: they have seen it."""
        self._send(memoryview(payload), "sent again: nothing listened at the previous address")

    def discard(self) -> None:
        """The flow is over: forget what is held."""
        if self._lane is not None:
            self._lane.discard()
            self._lane = None
        self._alarm.switch_off()

    @property
    def stats(self) -> WayStats:
        """What came, and what the faults hold."""
        lane = self._lane
        return WayStats(self.count) if lane is None else WayStats(self.count, lane.held, lane.pieces)

    @property
    def holds(self) -> bool:
        """Whether anything waits in here."""
        return self._lane is not None and not self._lane.empty

    def _depart(self, lane: ImpairmentLane) -> None:
        now = time.monotonic()
        for departure in lane.leave(now, AT_ONCE if lane is self._lane else EVERYTHING):
            if not self.flow.closed:
                self._leave(departure)
        if lane is self._lane:
            self._alarm.ring_by(max(lane.next_release, now))  # what is due already: after the others had their turn

    def _due(self) -> None:
        """Something in the lane is due, or a person released a segment."""
        if self._lane is not None and not self.flow.closed:
            self._depart(self._lane)

    def _leave(self, departure: Departure) -> None:
        match departure.what:
            case Leaving.BYTES:
                self._send(departure.payload, departure.fate, departure.original)
            case Leaving.DROPPED:
                self._record.dropped(self.flow.context.time_ns(), departure.payload, departure.fate)
            case _:
                self.flow.close(departure.fate, by_fault=True)

    def _send(self, payload: memoryview, fate: str = "", original: memoryview | None = None) -> None:
        now = self.flow.context.time_ns()
        problem = self.flow.send(self.direction, payload)
        if problem:
            fate = f"{fate}, {problem}" if fate else problem
        self._record.carried(now, payload, fate, original)


class DatagramFlow:
    """One client address, and the socket that stands for it before the server."""

    __slots__ = (
        "_listener",
        "_tried",
        "_unanswered",
        "_upstream",
        "_ways",
        "client",
        "closed",
        "context",
        "facts",
        "record",
        "relay",
        "used",
    )

    def __init__(self, relay: FlowOwner, listener: socket.socket, upstream: socket.socket, client: Endpoint) -> None:
        self.relay, self.context = relay, relay.context
        self.closed = False
        self.used = time.monotonic()
        self._listener, self._upstream, self.client = listener, upstream, client
        self._tried = relay.targets[0]
        self._unanswered: list[bytes] | None = [] if len(relay.targets) > 1 else None
        server = self._tried if self.context.shows_target else endpoint_of(listener)
        self.record = datagram_record(self.context.writer, client, server)
        self.facts = Flow(self.record.number, Transport.UDP, client, server)
        self._ways = {direction: DatagramWay(self, direction, self.record.way(direction)) for direction in Direction}
        self.context.loop.watch(upstream.fileno(), READ, self._ready)

    @property
    def stats(self) -> FlowStats:
        """What came, and what the faults hold."""
        return FlowStats(self.facts.number, {direction: way.stats for direction, way in self._ways.items()})

    @property
    def key(self) -> Key:
        """What distinguishes it from other flows."""
        return self._listener, self.client

    def carry(self, payload: memoryview) -> None:
        """The client sent a datagram."""
        self._ways[Direction.TO_SERVER].carry(payload)

    def impair(self) -> None:
        """The faults have changed."""
        for way in self._ways.values():
            way.impair()

    def intercept(self) -> None:
        """Change which segments are held by hand."""
        for way in self._ways.values():
            way.intercept()

    def replay(self, direction: Direction, payload: bytes) -> None:
        """Let a datagram leave that did not come."""
        self._ways[direction].replay(payload)

    @property
    def holds(self) -> bool:
        """Whether a datagram waits in here."""
        return any(way.holds for way in self._ways.values())

    def send(self, direction: Direction, payload: memoryview) -> str:
        """Send a datagram on; returns in a few words why that failed, or nothing."""
        for _ in range(2):  # an error of the datagram before is reported by this call, which then sent nothing
            try:
                if direction is Direction.TO_SERVER:
                    self._upstream.send(payload)
                    self._remember(payload)
                else:
                    self._listener.sendto(payload, self.client)
            except ConnectionRefusedError:
                self._refused()
            except OSError as error:
                return f"not sent: {error.strerror}"
            else:
                return ""
        return "not sent: Connection refused"

    def _remember(self, payload: memoryview) -> None:
        """Keep what was sent, as long as another address of the server may need it."""
        if self._unanswered is not None and len(self._unanswered) < MOST_UNANSWERED:
            self._unanswered.append(bytes(payload))

    def _refused(self) -> None:
        """Nothing listens there: send it all to the server's next address, if it has one and none has answered."""
        following = self.relay.targets_behind(self._tried) if self._unanswered is not None else ()
        again, self._unanswered = self._unanswered, [] if len(following) > 1 else None
        if not following or again is None:
            self.relay.refused()
            return
        try:
            upstream = self.relay.upstream(following[0])
        except OSError:
            self.relay.refused()
            return
        self.context.loop.forget(self._upstream.fileno())
        self._upstream.close()
        self._upstream, self._tried = upstream, following[0]
        self.context.loop.watch(upstream.fileno(), READ, self._ready)
        if self.context.shows_target:
            self.facts = replace(self.facts, server=self._tried)
            self.record.meet(self._tried)
        for payload in again:
            self._ways[Direction.TO_SERVER].send_again(payload)

    def close(self, how: str = "", *, by_fault: bool = False) -> None:
        """Forget the address pair."""
        if self.closed:
            return
        self.closed = True
        for way in self._ways.values():
            way.discard()
        self.context.loop.forget(self._upstream.fileno())
        self._upstream.close()
        self.record.closed()
        self.relay.forget(self)
        to_server, to_client = (self._ways[direction].count for direction in Direction)
        self.context.report(FlowClosed(self.record.number, to_server, to_client, how, self.context.time_ns(), by_fault))

    def _ready(self, mask: int) -> None:
        """The server answered, or its host refused."""
        room = self.relay.room
        for _ in range(AT_ONCE):
            if self.closed:
                return
            try:
                count = self._upstream.recv_into(room)
            except BlockingIOError:
                return
            except OSError:
                self._refused()
                return
            self._unanswered = None
            self.relay.touch(self)
            self._ways[Direction.TO_CLIENT].carry(room[:count])
