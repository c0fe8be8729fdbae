"""Relays streams: accepts clients, connects to the server, passes bytes on both ways. It knows no protocol.

One thread, non-blocking sockets. Each direction of a flow is a `netlab.wire.relay.pipe.Pipe`. A half-close stays one
(``shutdown``), and so does a reset (``SO_LINGER`` 0).
"""

from __future__ import annotations

import contextlib
import errno
import socket
import time
from collections.abc import Collection, Iterator
from functools import partial
from typing import Final

from netlab.capture.model import Direction, Endpoint
from netlab.names import Addresses, bind_all, endpoint_of, family_of
from netlab.wire.facts import Troubled
from netlab.wire.loop import READ
from netlab.wire.relay.buffers import Buffers
from netlab.wire.relay.context import Context
from netlab.wire.relay.stats import FlowStats, RelayStats
from netlab.wire.relay.stream_flow import StreamFlow

BACKLOG: Final = 1024
ACCEPTED_AT_ONCE: Final = 64
FILES_RETRY: Final = 0.2
"""Seconds until accepting is tried again after the system had no more descriptors."""

_OUT_OF_FILES: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class StreamRelay:
    """Listens for clients and keeps the flows. It accepts only while it knows the server (``targets``)."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._buffers = Buffers()
        self._flows: set[StreamFlow] = set()
        self._listeners: tuple[socket.socket, ...] = ()
        self._refusing: tuple[socket.socket, ...] = ()
        self._targets: Addresses = ()
        self._accepting = False
        self._short = False

    @property
    def stats(self) -> RelayStats:
        """What it holds at the moment."""
        return RelayStats(tuple(flow.stats for flow in self._flows), self._buffers.held)

    def stats_of(self, numbers: Collection[int]) -> Iterator[FlowStats]:
        """The same of these flows."""
        return (flow.stats for flow in self._flows if flow.facts.number in numbers)

    def listen(self, addresses: Addresses) -> Addresses:
        """Listen there, and nowhere else; returns the addresses with their real port. Raises `OSError`."""
        self.pause()
        self._listeners = bind_all(addresses, _listener)
        self._consider()
        return tuple(map(endpoint_of, self._listeners))

    def pause(self) -> None:
        """Stop listening; the port is free, open flows go on."""
        self._stop_accepting()
        for sock in (*self._listeners, *self._refusing):
            sock.close()
        self._listeners = self._refusing = ()

    def refuse(self) -> None:
        """Let clients be refused, and keep the port; open flows go on. Raises `OSError`."""
        addresses = tuple(map(endpoint_of, self._listeners))
        self.pause()
        self._refusing = bind_all(addresses, _bound)

    def take_again(self) -> None:
        """Take clients again after `refuse`. Raises `OSError`."""
        for sock in self._refusing:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.listen(BACKLOG)
        self._listeners, self._refusing = self._refusing, ()
        self._consider()

    @property
    def targets(self) -> Addresses:
        """Where the server is: the first that answers. Existing flows keep theirs."""
        return self._targets

    @targets.setter
    def targets(self, targets: Addresses) -> None:
        self._targets = targets
        self._consider()

    def drop_flows(self, why: str) -> None:
        """Reset all flows: their server is gone."""
        for flow in tuple(self._flows):
            flow.reset(Direction.TO_CLIENT, why)

    def impair(self) -> None:
        """The faults have changed."""
        for flow in tuple(self._flows):
            flow.impair()

    def intercept(self) -> None:
        """Change which segments are held by hand."""
        for flow in self._flows:
            flow.intercept()

    def replay(self, number: int, direction: Direction, payload: bytes) -> str:
        """Let bytes leave in an open flow that did not come; returns in a few words why that failed, or nothing."""
        flow = next((flow for flow in self._flows if flow.facts.number == number), None)
        return "the flow is not open" if flow is None else flow.replay(direction, payload)

    def close(self) -> None:
        """Stop listening and end every flow."""
        self.pause()
        self.drop_flows("dropped by the wire")

    def _consider(self) -> None:
        """Accept only while there are a listener, a target and descriptors."""
        if not self._targets:
            self._stop_accepting()
        elif not self._accepting and self._listeners:
            self._accepting = True
            for listener in self._listeners:
                self._context.loop.watch(listener.fileno(), READ, partial(self._accept, listener))

    def _stop_accepting(self) -> None:
        if self._accepting:
            self._accepting = False
            for listener in self._listeners:
                self._context.loop.forget(listener.fileno())

    def _accept(self, listener: socket.socket, mask: int) -> None:
        for _ in range(ACCEPTED_AT_ONCE):
            if listener not in self._listeners or not self._targets:
                return
            try:  # first: without it an accepted client would have to be refused
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
        """No descriptors: clients wait in the accept queue. Report it once, try again soon."""
        if not self._short:
            self._context.report(
                Troubled(f"cannot accept for now: {error.strerror}; {len(self._flows)} flows are open")
            )
        self._short = True
        self._stop_accepting()
        self._context.loop.call_at(time.monotonic() + FILES_RETRY, self._consider)

    def _open(self, accepted: socket.socket, upstream: socket.socket, client: Endpoint) -> None:
        accepted.setblocking(False)
        with contextlib.suppress(OSError):  # some systems refuse if the client has gone already
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        flow = StreamFlow(
            self._context, self._buffers, (accepted, client), upstream, self._targets, self._flows.discard
        )
        self._flows.add(flow)
        flow.connect()


def _bound(address: Endpoint) -> socket.socket:
    """A socket that holds the port and does not listen."""
    sock = socket.socket(family_of(address.host), socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # as `socket.create_server` does
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # past connections of this port do not matter
        sock.bind(address)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)  # but nobody else may listen there
    except OSError:
        sock.close()
        raise
    return sock


def _listener(address: Endpoint) -> socket.socket:
    listener = socket.create_server(address, family=family_of(address.host), backlog=BACKLOG)
    listener.setblocking(False)
    return listener
