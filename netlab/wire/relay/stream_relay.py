"""Relays streams: accepts clients, connects to the server, passes bytes on both ways. It knows no protocol.

One thread, non-blocking sockets. Each direction of a flow is a `Pipe`: it reads from one socket and writes to the
other, and reads no more while what it has read does not leave, so a slow reader slows the sender. A half-close stays
one (``shutdown``), and so does a reset (``SO_LINGER`` 0). With `netlab.wire.relay.datagram_relay` the only place of
I/O on flows.
"""

from __future__ import annotations

import contextlib
import errno
import mmap
import socket
import struct
import time
from collections import deque
from dataclasses import replace
from enum import Enum
from functools import partial
from typing import Final

from netlab.capture.model import Direction, Endpoint, Flow, Transport
from netlab.capture.packet_recorder import TcpRecord
from netlab.names import Addresses, bind_all, endpoint_of, family_of
from netlab.wire.facts import FlowClosed, FlowOpened, Troubled
from netlab.wire.impairment.impairment_lane import REPLAYED, Departure, Lane, Leaving
from netlab.wire.impairment.queues import EVERYTHING
from netlab.wire.loop import BROKEN, READ, WRITE, Alarm
from netlab.wire.relay.context import Surroundings
from netlab.wire.relay.dialing import Dialing

ROOM: Final = 1 << 19
"""Bytes read at most at a time. Half of it costs an eighth more processor time a byte, twice of it hardly less."""
MODEST_ROOM: Final = 1 << 14
"""The same, once `MUCH` is held, and under faults: each piece that they cut a segment into is kept by itself."""
MUCH: Final = 1 << 25
"""Bytes held by all flows together, beyond which each reads only a little."""
LANE_LIMIT: Final = 1 << 20
"""Bytes that faults may hold in one direction before its sender is slowed."""
BACKLOG: Final = 1024
SPARE_ROOMS: Final = 4
ACCEPTED_AT_ONCE: Final = 64
AT_ONCE: Final = 256
"""Pieces that leave the faults of one direction in a row, before others have their turn."""
FILES_RETRY: Final = 0.2
"""Seconds until accepting is tried again after the system had no more descriptors."""

_ABORT: Final = struct.pack("ii", 1, 0)
_OUT_OF_FILES: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Ending(Enum):
    """What comes after the last byte that is to be written."""

    FIN = "fin"
    CLOSE = "close"
    RESET = "reset"


def _new_room() -> memoryview:
    """A mapping, because it begins on a page: the kernel copies faster into it than into a bytearray."""
    return memoryview(mmap.mmap(-1, ROOM))


class Rooms:
    """The buffer that every pipe reads into, and what was read but could not be written yet.

    What does not leave at once keeps the buffer, and reading goes on in another one: no byte is copied for it.
    """

    def __init__(self) -> None:
        self._spare: list[memoryview] = []
        self.room = _new_room()
        self.held = 0

    def keep(self, rest: memoryview) -> memoryview:
        """A view of these bytes that stays valid while others read."""
        self.held += len(rest)
        if rest.obj is not self.room.obj:
            return rest
        if len(rest) <= ROOM // 2 or self.held > MUCH:
            return memoryview(bytes(rest))
        self.room = self._spare.pop() if self._spare else _new_room()
        return rest

    def give_back(self, left: memoryview) -> None:
        """The last of some kept bytes are written."""
        if isinstance(left.obj, mmap.mmap) and len(self._spare) < SPARE_ROOMS:
            self._spare.append(memoryview(left.obj))


class Side:
    """One of a flow's two sockets, and what it is waited for. ``reads`` takes from it, ``writes`` puts into it."""

    __slots__ = ("_fd", "_loop", "_mask", "_watched", "reads", "socket", "writes")

    reads: Pipe
    writes: Pipe

    def __init__(self, around: Surroundings, sock: socket.socket) -> None:
        self._loop, self.socket = around.loop, sock
        self._fd = sock.fileno()
        self._mask = 0
        self._watched = False

    def listen(self, on: bool) -> None:
        """Wait, or wait no longer, for something to read."""
        self._want(self._mask | READ if on else self._mask & ~READ)

    def press(self, on: bool) -> None:
        """Wait, or wait no longer, for room to write."""
        self._want(self._mask | WRITE if on else self._mask & ~WRITE)

    def _want(self, mask: int) -> None:
        if mask == self._mask:
            return
        self._mask = mask
        if self._watched:
            self._loop.change(self._fd, mask)
        else:
            self._watched = True
            self._loop.watch(self._fd, mask, self.ready)

    def ready(self, mask: int) -> None:
        """The loop saw something. First what it sees nearly always."""
        if mask == READ:
            self.reads.pump()
            return
        if mask & WRITE:
            self.writes.drain()
        if mask & ~WRITE:
            if self._mask & READ:
                self.reads.pump()
            elif mask & BROKEN:
                self._broke_unheard()

    def _broke_unheard(self) -> None:
        """It broke while nothing was to be read: its peer is told now if it had finished, else after its last bytes."""
        if (
            self.reads.ended
            and self.socket.fileno() >= 0
            and self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        ):
            self.reads.flow.reset(self.reads.direction)
        else:
            self.unwatch()

    def unwatch(self) -> None:
        """Wait for nothing. What is wanted later is waited for again."""
        self._mask = 0
        if self._watched:
            self._watched = False
            self._loop.forget(self._fd)

    def close(self, abort: bool) -> None:
        """Close the socket; ``abort`` sends a reset."""
        self.unwatch()
        if abort:
            with contextlib.suppress(OSError):
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
        self.socket.close()


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


class StreamFlow:
    """One client's connection and the one to the server behind it."""

    __slots__ = (
        "_dialing",
        "_near",
        "_pipes",
        "_server",
        "_undecided",
        "around",
        "closed",
        "facts",
        "opened_ns",
        "record",
        "relay",
    )

    def __init__(
        self, relay: StreamRelay, accepted: socket.socket, upstream: socket.socket, client: Endpoint, targets: Addresses
    ) -> None:
        self.relay, self.around = relay, relay.around
        self.closed = False
        self._near = Side(self.around, accepted)
        self._server: Side | None = None
        self._pipes: dict[Direction, Pipe] = {}  # until the server is there nothing is read from the client
        self._dialing = Dialing(self.around.loop, upstream, targets, self._dialed)
        server = targets[0] if self.around.shows_target else endpoint_of(accepted)
        self.record = TcpRecord(self.around.writer, client, server)
        self.facts = Flow(self.record.number, Transport.TCP, client, server)
        self.opened_ns = self.around.time_ns()
        self._undecided = self.around.shows_target and len(targets) > 1
        if not self._undecided:
            self.record.opened(self.opened_ns)

    def connect(self) -> None:
        """Begin to connect to the server."""
        self._dialing.start()
        self.around.tell(FlowOpened(self.record.number, self.facts.client, self._dialing.local, self.opened_ns))
        self._dialing.proceed()

    def impair(self) -> None:
        """The faults are others now."""
        for pipe in self._pipes.values():
            if not self.closed:
                pipe.impair()

    def intercept(self) -> None:
        """Other segments than before are to be held by hand."""
        for pipe in self._pipes.values():
            pipe.intercept()

    def replay(self, direction: Direction, payload: bytes) -> str:
        """Let bytes leave that did not come; in a few words why not, or nothing."""
        return self._pipes[direction].replay(payload) if self._pipes else "the server is not there yet"

    def cut(self, fate: str) -> None:
        """Both sides are told that no more comes, and nothing more is passed on."""
        for pipe in self._pipes.values():
            pipe.drop()
            if not pipe.finished and not self.closed:
                pipe.finish(fate, by_fault=True)

    def reset(self, direction: Direction, fate: str = "", *, by_fault: bool = False) -> None:
        """The side that this direction comes from broke off (or a fault did): so does the wire, both ways."""
        if not self.closed:
            self._decide()
            self.record.way(direction).reset(self.around.time_ns(), fate)
            self.close(abort=True, how=fate or f"reset {direction.value}", by_fault=by_fault)

    def close(self, abort: bool = False, how: str = "", *, by_fault: bool = False) -> None:
        """It is over."""
        if self.closed:
            return
        self.closed = True
        for pipe in self._pipes.values():
            pipe.drop()
        self._near.close(abort)
        if self._server is not None:
            self._server.close(abort)
        else:
            self._dialing.stop()
        self.record.closed()
        self.relay.flows.discard(self)
        to_server, to_client = (self._pipes[way].count if self._pipes else 0 for way in Direction)
        self.around.tell(FlowClosed(self.record.number, to_server, to_client, how, self.around.time_ns(), by_fault))

    def _decide(self) -> None:
        """The capture learns which of the server's addresses it is."""
        if self._undecided:
            self._undecided = False
            self.facts = replace(self.facts, server=self._dialing.target)
            self.record.meet(self._dialing.target)
            self.record.opened(self.around.time_ns())

    def _dialed(self, problem: str) -> None:
        """The server is there, or is not."""
        if problem:
            self.reset(Direction.TO_CLIENT, f"no connection to the server: {problem}")
            return
        self._decide()
        self._server = server = Side(self.around, self._dialing.socket)
        to_server = Pipe(self, Direction.TO_SERVER, self._near, server)
        to_client = Pipe(self, Direction.TO_CLIENT, server, self._near)
        to_server.other, to_client.other = to_client, to_server
        self._pipes = {Direction.TO_SERVER: to_server, Direction.TO_CLIENT: to_client}
        self.impair()


class StreamRelay:
    """Listens for clients and keeps the flows. It accepts only while it knows the server (``targets``)."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        self.rooms = Rooms()
        self.flows: set[StreamFlow] = set()
        self._listeners: tuple[socket.socket, ...] = ()
        self._targets: Addresses = ()
        self._accepting = False
        self._short = False

    def listen(self, addresses: Addresses) -> Addresses:
        """Listen there, and nowhere else any more; returns the addresses with their real port. Raises `OSError`."""
        self.pause()
        self._listeners = bind_all(addresses, _listener)
        self._consider()
        return tuple(map(endpoint_of, self._listeners))

    def pause(self) -> None:
        """Stop listening; the port is free, open flows go on."""
        self._stop_accepting()
        for listener in self._listeners:
            listener.close()
        self._listeners = ()

    @property
    def targets(self) -> Addresses:
        """Where the server is: the first that answers. Existing flows stay with the one that they have."""
        return self._targets

    @targets.setter
    def targets(self, targets: Addresses) -> None:
        self._targets = targets
        self._consider()

    def drop_flows(self, why: str) -> None:
        """Reset all flows: their server is gone."""
        for flow in tuple(self.flows):
            flow.reset(Direction.TO_CLIENT, why)

    def impair(self) -> None:
        """The faults are others now."""
        for flow in tuple(self.flows):
            flow.impair()

    def intercept(self) -> None:
        """Other segments than before are to be held by hand."""
        for flow in self.flows:
            flow.intercept()

    def replay(self, number: int, direction: Direction, payload: bytes) -> str:
        """Let bytes leave in an open flow that did not come; in a few words why not, or nothing."""
        flow = next((flow for flow in self.flows if flow.facts.number == number), None)
        return "the flow is not open any more" if flow is None else flow.replay(direction, payload)

    def close(self) -> None:
        """Stop listening and end every flow."""
        self.pause()
        self.drop_flows("dropped by the wire")

    def _consider(self) -> None:
        """Accept, or not: only with a listener, a target and descriptors left."""
        if not self._targets:
            self._stop_accepting()
        elif not self._accepting and self._listeners:
            self._accepting = True
            for listener in self._listeners:
                self.around.loop.watch(listener.fileno(), READ, partial(self._accept, listener))

    def _stop_accepting(self) -> None:
        if self._accepting:
            self._accepting = False
            for listener in self._listeners:
                self.around.loop.forget(listener.fileno())

    def _accept(self, listener: socket.socket, mask: int) -> None:
        for _ in range(ACCEPTED_AT_ONCE):
            if listener not in self._listeners or not self._targets:
                return
            try:  # first: without it a client that was accepted would have to be refused
                upstream = socket.socket(family_of(self._targets[0].host), socket.SOCK_STREAM)
            except OSError as error:
                self._rest(error)
                return
            try:
                accepted, address = listener.accept()
            except OSError as error:
                upstream.close()
                if isinstance(error, BlockingIOError):
                    return
                if error.errno in _OUT_OF_FILES:
                    self._rest(error)
                    return
                continue  # the client went away while it waited
            self._short = False
            self._open(accepted, upstream, Endpoint(*address[:2]))

    def _rest(self, error: OSError) -> None:
        """No descriptors: clients wait in the accept queue. Say it once, try again soon."""
        if not self._short:
            self.around.tell(Troubled(f"cannot accept for now: {error.strerror}; {len(self.flows)} flows are open"))
        self._short = True
        self._stop_accepting()
        self.around.loop.call_at(time.monotonic() + FILES_RETRY, self._consider)

    def _open(self, accepted: socket.socket, upstream: socket.socket, client: Endpoint) -> None:
        accepted.setblocking(False)
        with contextlib.suppress(OSError):  # some systems refuse where the client has gone already
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        flow = StreamFlow(self, accepted, upstream, client, self._targets)
        self.flows.add(flow)
        flow.connect()


def _listener(address: Endpoint) -> socket.socket:
    listener = socket.create_server(address, family=family_of(address.host), backlog=BACKLOG)
    listener.setblocking(False)
    return listener
