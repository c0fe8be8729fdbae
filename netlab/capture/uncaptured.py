"""Flows that a capture leaves out, such as those of a load: what crosses is counted, and nothing of it is kept.

They are made as `netlab.capture.packet_recorder`'s are, and take the same calls.
"""

from __future__ import annotations

from netlab.capture.model import Direction, Endpoint
from netlab.capture.packet_recorder import TcpRecord, UdpRecord
from netlab.capture.writer import CaptureWriter


def stream_record(writer: CaptureWriter, client: Endpoint, server: Endpoint) -> TcpRecord | UncapturedFlow:
    """The record of a connection that begins now."""
    return (TcpRecord if writer.captures_new else UncapturedFlow)(writer, client, server)


def datagram_record(writer: CaptureWriter, client: Endpoint, server: Endpoint) -> UdpRecord | UncapturedFlow:
    """The record of an address pair that begins now."""
    return (UdpRecord if writer.captures_new else UncapturedFlow)(writer, client, server)


class UncapturedFlow:
    """A flow that is counted."""

    __slots__ = ("_ways", "left", "number", "writer")

    def __init__(self, writer: CaptureWriter, client: Endpoint, server: Endpoint) -> None:
        self.writer = writer
        self.number = writer.flow_opened(self)
        self.left = False
        self._ways = {direction: UncapturedWay(self, direction) for direction in Direction}

    def meet(self, server: Endpoint) -> None:
        """The server is not the one that was assumed."""

    def way(self, direction: Direction) -> UncapturedWay:
        """One direction."""
        return self._ways[direction]

    def opened(self, time_ns: int, fate: str = "") -> None:
        """It is open."""
        self.writer.uncaptured()

    def state(self) -> None:
        """The capture does not have it."""

    def closed(self) -> None:
        """It is over."""
        self.writer.flow_closed(self.number, self.left)


class UncapturedWay:
    """One direction of a flow that is counted."""

    __slots__ = ("_flow", "_writer", "before", "to_server")

    def __init__(self, flow: UncapturedFlow, direction: Direction) -> None:
        self._flow, self._writer = flow, flow.writer
        self.to_server = direction is Direction.TO_SERVER
        self.before = 0
        """Bytes that the capture does not have: all of them."""

    def carried(self, time_ns: int, payload: memoryview, fate: str = "", original: memoryview | None = None) -> None:
        """Bytes crossed."""
        self.before += len(payload)
        self._writer.crossed(len(payload), to_server=self.to_server)
        self._writer.uncaptured()

    def dropped(self, time_ns: int, payload: memoryview, fate: str) -> None:
        """Bytes were dropped."""
        self._writer.changed = True

    def finished(self, time_ns: int, fate: str = "") -> None:
        """This side sent its end."""
        if not (self.to_server or self._flow.left):
            self._flow.left = True
            self._writer.flow_left()
        self._writer.uncaptured()

    def reset(self, time_ns: int, fate: str = "") -> None:
        """This side broke the connection off."""
        self._writer.uncaptured()
