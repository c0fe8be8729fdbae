"""One client's connection, and the one to the server behind it."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import TYPE_CHECKING

from netlab.capture.model import Direction, Endpoint, Flow, Transport
from netlab.capture.packet_recorder import TcpRecord
from netlab.names import Addresses, endpoint_of
from netlab.wire.facts import FlowClosed, FlowOpened
from netlab.wire.relay.dialing import Dialing
from netlab.wire.relay.flow_socket import Side
from netlab.wire.relay.pipe import Pipe

if TYPE_CHECKING:
    from netlab.wire.relay.stream_relay import StreamRelay


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
