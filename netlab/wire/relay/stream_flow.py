"""One client's connection, and the one to the server behind it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace

from netlab.capture.model import Direction, Endpoint, Flow, Transport
from netlab.capture.uncaptured import stream_record
from netlab.names import Addresses, endpoint_of
from netlab.wire.facts import FlowClosed, FlowOpened
from netlab.wire.relay.buffers import Buffers
from netlab.wire.relay.context import Context
from netlab.wire.relay.dialing import Dialing
from netlab.wire.relay.flow_socket import FlowSocket
from netlab.wire.relay.pipe import Pipe
from netlab.wire.relay.stats import FlowStats


class StreamFlow:
    """One client's connection and the one to the server behind it. ``gone`` is called when it is over."""

    __slots__ = (
        "_client",
        "_dialing",
        "_gone",
        "_pipes",
        "_server",
        "_undecided",
        "buffers",
        "closed",
        "context",
        "facts",
        "opened_ns",
        "record",
    )

    def __init__(
        self,
        context: Context,
        buffers: Buffers,
        accepted: tuple[socket.socket, Endpoint],
        upstream: socket.socket,
        targets: Addresses,
        gone: Callable[[StreamFlow], None],
    ) -> None:
        self.context, self.buffers, self._gone = context, buffers, gone
        self.closed = False
        sock, client = accepted
        self._client = FlowSocket(context.loop, sock)
        self._server: FlowSocket | None = None
        self._pipes: dict[Direction, Pipe] = {}  # until the server is there nothing is read from the client
        self._dialing = Dialing(context.loop, upstream, targets, self._dialed)
        server = targets[0] if context.shows_target else endpoint_of(sock)
        self.record = stream_record(context.writer, client, server)
        self.facts = Flow(self.record.number, Transport.TCP, client, server)
        self.opened_ns = context.time_ns()
        self._undecided = context.shows_target and len(targets) > 1
        if not self._undecided:
            self.record.opened(self.opened_ns)

    @property
    def stats(self) -> FlowStats:
        """What came, and what the faults hold."""
        return FlowStats(self.facts.number, {way: pipe.stats for way, pipe in self._pipes.items()})

    def connect(self) -> None:
        """Begin to connect to the server."""
        self._dialing.start()
        self.context.report(FlowOpened(self.record.number, self.facts.client, self._dialing.local, self.opened_ns))
        self._dialing.proceed()

    def impair(self) -> None:
        """The faults have changed."""
        for pipe in self._pipes.values():
            if not self.closed:
                pipe.impair()

    def intercept(self) -> None:
        """Change which segments are held by hand."""
        for pipe in self._pipes.values():
            pipe.intercept()

    def replay(self, direction: Direction, payload: bytes) -> str:
        """Let bytes leave that did not come; returns in a few words why that failed, or nothing."""
        return self._pipes[direction].replay(payload) if self._pipes else "the server is not connected yet"

    def cut(self, fate: str) -> None:
        """End both directions; nothing more is passed on."""
        for pipe in self._pipes.values():
            pipe.discard()
            if not pipe.finished and not self.closed:
                pipe.finish(fate, by_fault=True)

    def reset(self, direction: Direction, fate: str = "", *, by_fault: bool = False, unreached: bool = False) -> None:
        """The side that this direction comes from broke off (or a fault did): so does the wire, both ways."""
        if not self.closed:
            self._decide()
            self.record.way(direction).reset(self.context.time_ns(), fate)
            how = fate or f"reset {direction.value}"
            self.close(abort=True, how=how, by_fault=by_fault, unreached=unreached)

    def close(self, abort: bool = False, how: str = "", *, by_fault: bool = False, unreached: bool = False) -> None:
        """The flow is over: close both sockets."""
        if self.closed:
            return
        self.closed = True
        for pipe in self._pipes.values():
            pipe.discard()
        self._client.close(abort)
        if self._server is not None:
            self._server.close(abort)
        else:
            self._dialing.stop()
        self.record.closed()
        self._gone(self)
        to_server, to_client = (self._pipes[way].count if self._pipes else 0 for way in Direction)
        now = self.context.time_ns()
        self.context.report(FlowClosed(self.record.number, to_server, to_client, how, now, by_fault, unreached))

    def _decide(self) -> None:
        """Record which of the server's addresses it is."""
        if self._undecided:
            self._undecided = False
            self.facts = replace(self.facts, server=self._dialing.target)
            self.record.meet(self._dialing.target)
            self.record.opened(self.context.time_ns())

    def _dialed(self, problem: str) -> None:
        """The server is connected, or cannot be."""
        if problem:
            self.reset(Direction.TO_CLIENT, f"no connection to the server: {problem}", unreached=True)
            return
        self._decide()
        self._server = server = FlowSocket(self.context.loop, self._dialing.socket)
        to_server = Pipe(self, Direction.TO_SERVER, self._client, server)
        to_client = Pipe(self, Direction.TO_CLIENT, server, self._client)
        to_server.other, to_client.other = to_client, to_server
        self._pipes = {Direction.TO_SERVER: to_server, Direction.TO_CLIENT: to_client}
        self.impair()
