"""Relays datagrams: a socket towards the server for each client address, so that answers find their way back.

One thread, non-blocking sockets, whole datagrams. Flows are kept while they are used, and the longest unused go first
where there are many.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections import OrderedDict
from functools import partial
from typing import Final

from netlab.capture.model import Direction, Endpoint
from netlab.names import Addresses, bind_all, endpoint_of, family_of
from netlab.wire.addresses import in_words
from netlab.wire.facts import FlowOpened, Troubled
from netlab.wire.impairment.intercept import LONGEST_DATAGRAM
from netlab.wire.loop import READ
from netlab.wire.relay.context import Surroundings
from netlab.wire.relay.datagram_flow import AT_ONCE, DatagramFlow, Key

LONGEST: Final = 1 << 16
"""Bytes; no datagram is longer, so none is cut short."""
MOST_FLOWS: Final = 1024
IDLE: Final = 60.0
"""Seconds without a datagram after which a flow is forgotten."""
BUFFER: Final = 1 << 22


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
