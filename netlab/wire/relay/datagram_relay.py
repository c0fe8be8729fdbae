"""Relays datagrams: a socket towards the server for each client address, so that answers find their way back.

One thread, non-blocking sockets, whole datagrams. Flows are kept while they are used, and the longest unused go first
where there are many. With `netlab.wire.relay.stream_relay` the only place of I/O on flows.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections import OrderedDict
from dataclasses import replace
from functools import partial
from typing import Final

from netlab.capture.model import Direction, Endpoint, Flow, Transport
from netlab.capture.packet_recorder import UdpRecord, UdpWay
from netlab.names import Addresses, bind_all, endpoint_of, family_of
from netlab.wire.addresses import in_words
from netlab.wire.facts import FlowClosed, FlowOpened, Troubled
from netlab.wire.impairment.impairment_lane import REPLAYED, Departure, Lane, Leaving
from netlab.wire.impairment.intercept import LONGEST_DATAGRAM
from netlab.wire.impairment.queues import EVERYTHING
from netlab.wire.loop import READ, Alarm
from netlab.wire.relay.context import Surroundings

LONGEST: Final = 1 << 16
"""Bytes; no datagram is longer, so none is cut short."""
MOST_FLOWS: Final = 1024
IDLE: Final = 60.0
"""Seconds without a datagram after which a flow is forgotten."""
LANE_LIMIT: Final = 1 << 22
"""Bytes that faults may hold in one direction; what comes then is dropped, as by any full queue."""
AT_ONCE: Final = 64
MOST_UNANSWERED: Final = 16
"""Datagrams that are kept to be sent to the server's next address, where nothing listens at the one before."""
BUFFER: Final = 1 << 22


Key = tuple[socket.socket, Endpoint]
"""What tells flows apart: where the client sends to, and its address."""


class Way:
    """One direction of a flow: what is told to the capture, and the faults."""

    __slots__ = ("_alarm", "_lane", "_record", "count", "direction", "flow")

    def __init__(self, flow: DatagramFlow, direction: Direction, record: UdpWay) -> None:
        self.flow, self.direction, self._record = flow, direction, record
        self._alarm = Alarm(flow.around.loop, self._due)
        self._lane: Lane | None = None
        self.count = 0
        self.impair()

    def carry(self, payload: memoryview) -> None:
        """A datagram came this way."""
        self.count += len(payload)
        if self._lane is None:
            self._send(payload)
        elif self._lane.held + len(payload) > LANE_LIMIT:
            self._record.dropped(self.flow.around.time_ns(), payload, "the wire holds too much already")
        else:
            self._lane.enter(bytes(payload), time.monotonic())
            self._depart(self._lane)

    def impair(self) -> None:
        """The faults are others now: what the old ones held leaves at once."""
        old = self._lane
        self._alarm.switch_off()
        self._lane = self.flow.around.lane(self.flow.facts, self.direction, self._due, old)
        if old is not None:
            old.release()
            self._depart(old)

    def intercept(self) -> None:
        """Other segments than before are to be held by hand."""
        self._lane = self.flow.around.intercepted(self._lane, self.flow.facts, self.direction, self._due)

    def replay(self, payload: bytes) -> None:
        """Let a datagram leave that did not come."""
        if self._lane is not None:
            self._lane.enter(payload, time.monotonic(), REPLAYED)
            self._depart(self._lane)
        else:
            self._send(memoryview(payload), REPLAYED)

    def send_again(self, payload: bytes) -> None:
        """Let a datagram leave once more, which the faults have seen."""
        self._send(memoryview(payload), "sent again: nothing listened at the server's address before")

    def discard(self) -> None:
        """The flow is over: forget what is held."""
        if self._lane is not None:
            self._lane.discard()
            self._lane = None
        self._alarm.switch_off()

    @property
    def holds(self) -> bool:
        """Whether anything waits in here."""
        return self._lane is not None and not self._lane.empty

    def _depart(self, lane: Lane) -> None:
        now = time.monotonic()
        for departure in lane.leave(now, AT_ONCE if lane is self._lane else EVERYTHING):
            if not self.flow.closed:
                self._leave(departure)
        if lane is self._lane:
            self._alarm.ring_by(max(lane.next_release, now))  # what is due already: after the others had their turn

    def _due(self) -> None:
        """The lane has something that is due, or a person let something go on."""
        if self._lane is not None and not self.flow.closed:
            self._depart(self._lane)

    def _leave(self, departure: Departure) -> None:
        match departure.what:
            case Leaving.BYTES:
                self._send(departure.payload, departure.fate, departure.original)
            case Leaving.DROPPED:
                self._record.dropped(self.flow.around.time_ns(), departure.payload, departure.fate)
            case _:
                self.flow.close(departure.fate, by_fault=True)

    def _send(self, payload: memoryview, fate: str = "", original: memoryview | None = None) -> None:
        now = self.flow.around.time_ns()
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
        "around",
        "client",
        "closed",
        "facts",
        "record",
        "relay",
        "used",
    )

    def __init__(
        self, relay: DatagramRelay, listener: socket.socket, upstream: socket.socket, client: Endpoint
    ) -> None:
        self.relay, self.around = relay, relay.around
        self.closed = False
        self.used = time.monotonic()
        self._listener, self._upstream, self.client = listener, upstream, client
        self._tried = relay.targets[0]
        self._unanswered: list[bytes] | None = [] if len(relay.targets) > 1 else None
        server = self._tried if self.around.shows_target else endpoint_of(listener)
        self.record = UdpRecord(self.around.writer, client, server)
        self.facts = Flow(self.record.number, Transport.UDP, client, server)
        self._ways = {direction: Way(self, direction, self.record.way(direction)) for direction in Direction}
        self.around.loop.watch(upstream.fileno(), READ, self._ready)

    @property
    def key(self) -> Key:
        """What tells it from other flows."""
        return self._listener, self.client

    def carry(self, payload: memoryview) -> None:
        """The client sent a datagram."""
        self._ways[Direction.TO_SERVER].carry(payload)

    def impair(self) -> None:
        """The faults are others now."""
        for way in self._ways.values():
            way.impair()

    def intercept(self) -> None:
        """Other segments than before are to be held by hand."""
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
        """Send a datagram on; returns in a few words why it did not go, or nothing."""
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
        """Keep what was sent while another address of the server may have to get it."""
        if self._unanswered is not None and len(self._unanswered) < MOST_UNANSWERED:
            self._unanswered.append(bytes(payload))

    def _refused(self) -> None:
        """Nothing listens there: what was sent goes to the server's next address, if it has one and none answered."""
        following = self.relay.targets_behind(self._tried) if self._unanswered is not None else ()
        again, self._unanswered = self._unanswered, [] if len(following) > 1 else None
        if not following or again is None:
            self.relay.refused(self)
            return
        try:
            upstream = self.relay.upstream(following[0])
        except OSError:
            self.relay.refused(self)
            return
        self.around.loop.forget(self._upstream.fileno())
        self._upstream.close()
        self._upstream, self._tried = upstream, following[0]
        self.around.loop.watch(upstream.fileno(), READ, self._ready)
        if self.around.shows_target:
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
        self.around.loop.forget(self._upstream.fileno())
        self._upstream.close()
        self.record.closed()
        self.relay.forget(self)
        to_server, to_client = (self._ways[direction].count for direction in Direction)
        self.around.tell(FlowClosed(self.record.number, to_server, to_client, how, self.around.time_ns(), by_fault))

    def _ready(self, mask: int) -> None:
        """The server answered, or what lies before it refused."""
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


class DatagramRelay:
    """Takes clients' datagrams where it listens and keeps a flow for each. It reads only once it has ``targets``."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        self.room = memoryview(bytearray(LONGEST))
        self.flows: OrderedDict[Key, DatagramFlow] = OrderedDict()  # the longest unused first
        self._listeners: tuple[socket.socket, ...] = ()
        self._targets: Addresses = ()
        self._reading = False
        self._sweeping = False
        self._told_refused = False

    def listen(self, addresses: Addresses) -> Addresses:
        """Listen there, and nowhere else any more; returns the addresses with their real port. Raises `OSError`."""
        self.pause()
        self._listeners = bind_all(addresses, partial(_listener, alone=len(addresses) == 1))
        self._consider()
        return tuple(map(endpoint_of, self._listeners))

    def pause(self) -> None:
        """Stop listening. Answers go out through the same socket, so the flows end with it."""
        for flow in tuple(self.flows.values()) if self._listeners else ():
            flow.close()
        self._stop_reading()
        for listener in self._listeners:
            listener.close()
        self._listeners = ()

    @property
    def targets(self) -> Addresses:
        """Where the server is: the first that does not refuse. Existing flows stay with the one that they have."""
        return self._targets

    @targets.setter
    def targets(self, targets: Addresses) -> None:
        self._targets = targets
        self._told_refused = False
        self._consider()

    def targets_behind(self, target: Endpoint) -> Addresses:
        """What is to be tried after one of the targets."""
        return self._targets[self._targets.index(target) + 1 :] if target in self._targets else ()

    def drop_flows(self, why: str) -> None:
        """Forget all flows: their server is gone."""
        for flow in tuple(self.flows.values()):
            flow.close(why)

    def impair(self) -> None:
        """The faults are others now."""
        for flow in tuple(self.flows.values()):
            flow.impair()

    def intercept(self) -> None:
        """Other segments than before are to be held by hand."""
        for flow in self.flows.values():
            flow.intercept()

    def replay(self, number: int, direction: Direction, payload: bytes) -> str:
        """Let a datagram leave in a known flow that did not come; in a few words why not, or nothing."""
        flow = next((flow for flow in self.flows.values() if flow.facts.number == number), None)
        if flow is None:
            return "the wire has forgotten this flow"
        if len(payload) > LONGEST_DATAGRAM:
            return f"{len(payload)} bytes are too many for a datagram; {LONGEST_DATAGRAM} are the most"
        flow.replay(direction, payload)
        return ""

    def close(self) -> None:
        """Stop listening and forget every flow."""
        self.pause()

    def touch(self, flow: DatagramFlow) -> None:
        """A flow is used."""
        flow.used = time.monotonic()
        self.flows.move_to_end(flow.key)

    def forget(self, flow: DatagramFlow) -> None:
        """A flow is over."""
        self.flows.pop(flow.key, None)

    def refused(self, flow: DatagramFlow) -> None:
        """Nothing listens at the server's address (ICMP port unreachable). Said once for each target."""
        if not self._told_refused:
            self._told_refused = True
            where = in_words(self._targets)
            self.around.tell(Troubled(f"the server at {where} refuses datagrams: nothing listens there"))

    def upstream(self, target: Endpoint) -> socket.socket:
        """A socket that stands for a client before the server. Raises `OSError` where none is to be had."""
        upstream = socket.socket(family_of(target.host), socket.SOCK_DGRAM)
        _widen(upstream)
        with contextlib.suppress(OSError):  # refused or unreachable comes again with the first datagram
            upstream.connect(target)
        return upstream

    def _consider(self) -> None:
        if not self._targets:
            self._stop_reading()
        elif not self._reading and self._listeners:
            self._reading = True
            for listener in self._listeners:
                self.around.loop.watch(listener.fileno(), READ, partial(self._ready, listener))

    def _stop_reading(self) -> None:
        if self._reading:
            self._reading = False
            for listener in self._listeners:
                self.around.loop.forget(listener.fileno())

    def _ready(self, listener: socket.socket, mask: int) -> None:
        for _ in range(AT_ONCE):
            if listener not in self._listeners:
                return
            try:
                count, address = listener.recvfrom_into(self.room)
            except BlockingIOError:
                return
            except OSError:
                continue  # an answer to a client that has gone; the error belongs to no datagram here
            flow = self._flow(listener, Endpoint(*address[:2]))
            if flow is not None:
                flow.carry(self.room[:count])

    def _flow(self, listener: socket.socket, client: Endpoint) -> DatagramFlow | None:
        """The client's flow, perhaps a new one; None where no socket could be had for it."""
        flow = self.flows.get((listener, client))
        if flow is not None:
            self.touch(flow)
            return flow
        if len(self.flows) >= MOST_FLOWS:
            next(iter(self.flows.values())).close("forgotten: too many flows")
        try:
            upstream = self.upstream(self._targets[0])
        except OSError as error:
            self.around.tell(Troubled(f"no socket for {client}: {error.strerror}"))
            return None
        self.flows[listener, client] = flow = DatagramFlow(self, listener, upstream, client)
        self.around.tell(FlowOpened(flow.record.number, client, endpoint_of(upstream), self.around.time_ns()))
        self._sweep_later()
        return flow

    def _sweep_later(self) -> None:
        if not self._sweeping and self.flows:
            self._sweeping = True
            self.around.loop.call_at(next(iter(self.flows.values())).used + IDLE, self._sweep)

    def _sweep(self) -> None:
        """Forget what was not used for long."""
        self._sweeping = False
        long_ago = time.monotonic() - IDLE
        while self.flows and next(iter(self.flows.values())).used <= long_ago:
            flow = next(iter(self.flows.values()))
            if flow.holds:
                self.touch(flow)
            else:
                flow.close("idle")
        self._sweep_later()


def _listener(address: Endpoint, *, alone: bool) -> socket.socket:
    listener = socket.socket(family_of(address.host), socket.SOCK_DGRAM)
    try:
        if not alone and listener.family is socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # others have IPv4
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    _widen(listener)
    return listener


def _widen(sock: socket.socket) -> None:
    """Non-blocking, with room for a burst; the system gives what it allows."""
    sock.setblocking(False)
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        sock.setsockopt(socket.SOL_SOCKET, option, BUFFER)
