"""The half of a pipe that writes: to its sink, as far as that has room. What has no room waits, in order."""

from __future__ import annotations

import contextlib
import socket
from collections import deque
from enum import Enum
from typing import Protocol

from netlab.capture.model import Direction, Flow
from netlab.capture.packet_recorder import TcpRecord
from netlab.capture.uncaptured import UncapturedFlow
from netlab.wire.relay.buffers import Buffers
from netlab.wire.relay.context import Context
from netlab.wire.relay.flow_socket import FlowSocket


class StreamEnd(Enum):
    """What comes after the last byte to be written."""

    FIN = "fin"
    CLOSE = "close"
    RESET = "reset"


class Ends(Protocol):
    """What a pipe knows of the flow that it belongs to."""

    context: Context
    buffers: Buffers
    facts: Flow
    record: TcpRecord | UncapturedFlow
    closed: bool

    def cut(self, fate: str) -> None:
        """End both directions."""

    def reset(self, direction: Direction, fate: str = "", *, by_fault: bool = False) -> None:
        """Break it off, both ways."""

    def close(self, abort: bool = False, how: str = "", *, by_fault: bool = False) -> None:
        """Close both sockets."""


class PipeSink:
    """Writes to ``sink`` what comes from ``source``.

    ``ended``: the source has sent its end. ``finished``: the end was passed on to the sink. ``dead``: the sink takes
    no more.
    """

    __slots__ = (
        "_buffers",
        "_context",
        "_pending",
        "_send",
        "_way",
        "dead",
        "direction",
        "ended",
        "finished",
        "flow",
        "other",
        "sink",
        "source",
    )

    other: PipeSink

    def __init__(self, flow: Ends, direction: Direction, source: FlowSocket, sink: FlowSocket) -> None:
        self.flow, self.direction, self.source, self.sink = flow, direction, source, sink
        self._context, self._buffers = flow.context, flow.buffers
        self._way = flow.record.way(direction)
        self._send = sink.socket.send
        self._pending: deque[memoryview | tuple[StreamEnd, str]] = deque()
        self.ended = self.finished = self.dead = False

    def drain(self) -> None:
        """The sink has room: write what waits, then read again."""
        pending, buffers = self._pending, self._buffers
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
            buffers.held -= sent
            if sent < len(item):
                pending[0] = item[sent:]
                return
            pending.popleft()
            buffers.give_back(item)
        self.sink.want_write(False)
        self.read_on()

    def read_on(self) -> None:
        """Read if there is room for it."""
        raise NotImplementedError

    def discard(self) -> None:
        """Forget what waits; nothing more is written."""
        self.dead = True
        self._buffers.held -= sum(len(item) for item in self._pending if isinstance(item, memoryview))
        self._pending.clear()

    def finish(self, fate: str = "", *, by_fault: bool = False) -> None:
        """Pass the end on to the sink."""
        with contextlib.suppress(OSError):
            self.sink.socket.shutdown(socket.SHUT_WR)
        self._way.finished(self._context.time_ns(), fate)
        self.finished = True
        if self.other.finished:
            self.flow.close(how=fate if by_fault else "", by_fault=by_fault)

    def _write(self, payload: memoryview) -> bool:
        """Write, or keep what cannot be written yet; False if the sink is broken."""
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
            self._pending.append(self._buffers.keep(payload[sent:]))
            self.source.want_read(False)
            self.sink.want_write(True)
        return True

    def _sink_broke(self) -> None:
        """The other pipe has yet to read the sink's last bytes and its error; then it resets the flow."""
        self.discard()
        if self.other.ended:
            self.flow.reset(self.other.direction)
        else:
            self.sink.want_write(False)
            self.source.want_read(False)

    def _perform(self, ending: StreamEnd, fate: str) -> None:
        match ending:
            case StreamEnd.FIN:
                self.sink.want_write(False)
                self.finish(fate)
            case StreamEnd.CLOSE:
                self.flow.cut(fate)
            case StreamEnd.RESET:
                self.flow.reset(self.direction, fate, by_fault=True)

    def _finally(self, ending: StreamEnd, fate: str) -> None:
        """An ending comes after the bytes before it."""
        if self._pending:
            self._pending.append((ending, fate))
        else:
            self._perform(ending, fate)
