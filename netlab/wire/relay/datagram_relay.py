"""Relays datagrams: a socket towards the server for each client address, so that answers find their way back.

One thread, non-blocking sockets, whole datagrams. Flows are kept while they are used; if there are too many, the
longest unused one goes first.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections import OrderedDict
from collections.abc import Collection, Iterator
from functools import partial
from typing import Final

from netlab.capture.model import Direction, Endpoint
from netlab.names import Addresses, bind_all, endpoint_of, family_of
from netlab.wire.addresses import in_words
from netlab.wire.facts import FlowOpened, Troubled
from netlab.wire.impairment.intercept import LONGEST_DATAGRAM
from netlab.wire.loop import READ
from netlab.wire.relay.context import Context
from netlab.wire.relay.datagram_flow import AT_ONCE, DatagramFlow, Key
from netlab.wire.relay.stats import FlowStats, RelayStats

LONGEST: Final = 1 << 16
"""Bytes; no datagram is longer, so none is cut short."""
MOST_FLOWS: Final = 1024
IDLE: Final = 60.0
"""Seconds without a datagram after which a flow is forgotten."""
BUFFER: Final = 1 << 22


class DatagramRelay:
    """Takes clients' datagrams where it listens and keeps a flow for each. It reads only once it has ``targets``."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.room = memoryview(bytearray(LONGEST))
        self._flows: OrderedDict[Key, DatagramFlow] = OrderedDict()  # the longest unused first
        self._listeners: tuple[socket.socket, ...] = ()
        self._targets: Addresses = ()
        self._reading = False
        self._sweeping = False
        self._refusal_reported = False

    @property
    def stats(self) -> RelayStats:
        """What it holds at the moment."""
        flows = tuple(flow.stats for flow in self._flows.values())
        return RelayStats(flows, sum(flow.held for flow in flows))

    def listen(self, addresses: Addresses) -> Addresses:
        """Listen there, and nowhere else; returns the addresses with their real port. Raises `OSError`."""
        self.pause()
        self._listeners = bind_all(addresses, partial(_listener, alone=len(addresses) == 1))
        self._consider()
        return tuple(map(endpoint_of, self._listeners))

    def stats_of(self, numbers: Collection[int]) -> Iterator[FlowStats]:
        """The same of these flows."""
        return (flow.stats for flow in self._flows.values() if flow.facts.number in numbers)

    def pause(self) -> None:
        """Stop listening. Answers go out through the same socket, so the flows end with it."""
        for flow in tuple(self._flows.values()) if self._listeners else ():
            flow.close()
        self._stop_reading()
        for listener in self._listeners:
            listener.close()
        self._listeners = ()

    @property
    def targets(self) -> Addresses:
        """Where the server is: the first that does not refuse. Existing flows keep theirs."""
        return self._targets

    @targets.setter
    def targets(self, targets: Addresses) -> None:
        self._targets = targets
        self._refusal_reported = False
        self._consider()

    def targets_behind(self, target: Endpoint) -> Addresses:
        """The targets to try after this one."""
        return self._targets[self._targets.index(target) + 1 :] if target in self._targets else ()

    def drop_flows(self, why: str) -> None:
        """Forget all flows: their server is gone."""
        for flow in tuple(self._flows.values()):
            flow.close(why)

    def impair(self) -> None:
        """The faults have changed."""
        for flow in tuple(self._flows.values()):
            flow.impair()

    def intercept(self) -> None:
        """Change which segments are held by hand."""
        for flow in self._flows.values():
            flow.intercept()

    def replay(self, number: int, direction: Direction, payload: bytes) -> str:
        """Send a datagram in a known flow that did not come; returns in a few words why that failed, or nothing."""
        flow = next((flow for flow in self._flows.values() if flow.facts.number == number), None)
        if flow is None:
            return "the wire has forgotten this flow"
        if len(payload) > LONGEST_DATAGRAM:
            return f"{len(payload)} bytes are too many: {LONGEST_DATAGRAM} is the most"
        flow.replay(direction, payload)
        return ""

    def close(self) -> None:
        """Stop listening and forget every flow."""
        self.pause()

    def touch(self, flow: DatagramFlow) -> None:
        """A flow is used."""
        flow.used = time.monotonic()
        self._flows.move_to_end(flow.key)

    def forget(self, flow: DatagramFlow) -> None:
        """A flow is over."""
        self._flows.pop(flow.key, None)

    def refused(self) -> None:
        """Nothing listens at the server's address (ICMP port unreachable). Reported once for each target."""
        if not self._refusal_reported:
            self._refusal_reported = True
            where = in_words(self._targets)
            self.context.report(Troubled(f"the server at {where} refuses datagrams: nothing listens there"))

    def upstream(self, target: Endpoint) -> socket.socket:
        """A socket that stands for a client before the server. Raises `OSError` if there is none."""
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
                self.context.loop.watch(listener.fileno(), READ, partial(self._ready, listener))

    def _stop_reading(self) -> None:
        if self._reading:
            self._reading = False
            for listener in self._listeners:
                self.context.loop.forget(listener.fileno())

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
        """The client's flow, perhaps a new one; None if there is no socket for it."""
        flow = self._flows.get((listener, client))
        if flow is not None:
            self.touch(flow)
            return flow
        if len(self._flows) >= MOST_FLOWS:
            next(iter(self._flows.values())).close("forgotten: too many flows")
        try:
            upstream = self.upstream(self._targets[0])
        except OSError as error:
            self.context.report(Troubled(f"no socket for {client}: {error.strerror}"))
            return None
        self._flows[listener, client] = flow = DatagramFlow(self, listener, upstream, client)
        self.context.report(FlowOpened(flow.record.number, client, endpoint_of(upstream), self.context.time_ns()))
        self._sweep_later()
        return flow

    def _sweep_later(self) -> None:
        if not self._sweeping and self._flows:
            self._sweeping = True
            self.context.loop.call_at(next(iter(self._flows.values())).used + IDLE, self._sweep)

    def _sweep(self) -> None:
        """Forget flows that have been unused for a long time."""
        self._sweeping = False
        long_ago = time.monotonic() - IDLE
        while self._flows and next(iter(self._flows.values())).used <= long_ago:
            flow = next(iter(self._flows.values()))
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
