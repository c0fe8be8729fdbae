"""Which segments a call caused: by the bytes that its connection had sent and read before and after it.

The kernel counts them (Linux), no matter who reads from the socket: `ssl`, ``http.client``, or the client itself. If it
does not, as for datagrams, a segment belongs to the last call that had begun when it crossed.
"""

from __future__ import annotations

import socket
import struct
import sys
import time
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import dataclass

from netlab.capture.capture_file import Capture
from netlab.capture.model import Direction, Endpoint, Flow, Kind, LetGo, Segment
from netlab.lab.bounded_log import BoundedLog

KEPT = 2000
MOST = 500
"""The most segments of one call that are looked up."""

_SLACK_NS = 500_000_000  # what a call sent may cross a moment after it returned
_EVERYTHING = 1 << 62
_QUEUES = struct.Struct("=i")
_BYTES = struct.Struct("=QQ")  # tcpi_bytes_acked and tcpi_bytes_received of struct tcp_info (linux/tcp.h)
_BYTES_AT = 120

Counts = tuple[int, int]
"""Bytes that a socket has sent, and bytes that were read from it."""

Marks = Mapping[Endpoint, "Counts | None"]
"""The counts of a connection's sockets, by local address; None for a closed or uncounted socket."""


def counts(sock: socket.socket) -> Counts | None:
    """The bytes sent and read on a stream so far; None if the system does not count them."""
    try:
        before, now = _counters(sock), _counters(sock)
        while now[:2] != before[:2]:  # bytes moved from the queue to the counter between the two calls
            before, now = now, _counters(sock)
    except (ImportError, AttributeError, OSError, ValueError, struct.error):
        return None
    acked, received, unsent, unread = now
    return max(acked - 1, 0) + unsent, received - unread  # the SYN counts as one acknowledged byte


def _counters(sock: socket.socket) -> tuple[int, int, int, int]:
    """Bytes acknowledged, received, not acknowledged yet, not read yet."""
    if sys.platform == "linux":
        import fcntl  # here, since other systems may lack both
        import termios

        (unsent,) = _QUEUES.unpack(fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(4)))
        (unread,) = _QUEUES.unpack(fcntl.ioctl(sock.fileno(), termios.FIONREAD, bytes(4)))
        acked, received = _BYTES.unpack_from(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256), _BYTES_AT)
        return acked, received, unsent, unread
    raise OSError("only Linux counts them")


@dataclass(frozen=True, slots=True)
class CallTraffic:
    """What one call sent and read on one connection, as positions in the flow's two streams.

    If a position is not known it is None, and the time decides. Times are nanoseconds since the epoch.
    """

    call: int
    local: Endpoint
    begun: int
    ended: int
    opened: bool = False
    closed: bool = False
    sent: range | None = None
    read: range | None = None

    def covers(self, segment: Segment) -> bool:
        """Whether the segment may belong to this call. If several calls match by time, it belongs to the last."""
        if segment.flow.client != self.local:
            return False
        if segment.kind is not Kind.DATA and (self.opened if segment.kind is Kind.OPEN else self.closed):
            return True
        return segment.carries and self._covers_bytes(segment)

    def _covers_bytes(self, segment: Segment) -> bool:
        crossed = self.sent if segment.direction is Direction.TO_SERVER else self.read
        if crossed is None:
            return self.begun <= segment.time_ns
        return segment.offset < crossed.stop and crossed.start < segment.offset + segment.length


@dataclass(frozen=True, slots=True)
class _Running:
    """The running call, and the counts of its sockets before it began; ``marks`` returns the current ones."""

    call: int
    begun: int
    before: Marks
    marks: Callable[[], Marks]


class Attribution:
    """The traffic of a session's last calls. Written by its thread, read by any."""

    def __init__(self) -> None:
        self._outcomes: OrderedDict[Endpoint, Exception | None] = OrderedDict()
        self._kept: BoundedLog[CallTraffic] = BoundedLog(KEPT)
        self._locals: set[Endpoint] = set()
        self._running: _Running | None = None

    @contextmanager
    def of(self, call: int, marks: Callable[[], Marks]) -> Iterator[None]:
        """Record what a call sends and reads while the body runs."""
        begun, before = time.time_ns(), marks()
        self._running, ended = _Running(call, begun, before, marks), None
        try:
            yield
        except Exception as error:
            ended = _bare(error)
            raise
        finally:
            after = marks()
            self._note(call, begun, before, after)
            self._remember(after.keys() - before.keys(), ended)
            self._running = None

    def facts(self, local: Endpoint) -> Mapping[str, object]:
        """What is known of a connection: its ``outcome`` is None, or the exception of the call that opened it.

        A refused handshake leaves nothing but that. Nothing is known while the call runs, and of other connections.
        """
        try:
            return {"outcome": self._outcomes[local]}
        except KeyError:
            return {}

    def _remember(self, opened: Iterable[Endpoint], ended: Exception | None) -> None:
        for local in opened:
            self._outcomes.pop(local, None)
            self._outcomes[local] = ended
            if len(self._outcomes) > KEPT:
                self._outcomes.popitem(last=False)

    def call_of(self, segment: Segment) -> int | None:
        """The number of the call that caused a segment, or None."""
        running = self._of_running()
        if segment.flow.client not in self._locals and all(one.local != segment.flow.client for one in running):
            return None
        return next((one.call for one in reversed([*self._kept, *running]) if one.covers(segment)), None)

    def segments_of(self, call: int, capture: Capture) -> list[int]:
        """The numbers of a call's segments in order, up to `MOST`."""
        found: set[int] = set()
        for traffic in [one for one in [*self._kept, *self._of_running()] if one.call == call]:
            flow = next((flow for flow in reversed(capture.flows) if flow.client == traffic.local), None)
            if flow is not None:
                found.update(_by_position(traffic, flow, capture))
                with suppress(LetGo):  # just now
                    found.update(segment.number for segment in self._by_time(traffic, capture))
        return sorted(found)[:MOST]

    def _of_running(self) -> list[CallTraffic]:
        """What the running call has sent and read so far, and all that follows: no other call uses its sockets."""
        running = self._running
        if running is None:
            return []
        found = []
        for local, now in running.marks().items():
            new = local not in running.before
            bare = CallTraffic(running.call, local, running.begun, time.time_ns(), opened=new)
            open_end = now and (_EVERYTHING, _EVERYTHING)
            found.append(_crossing(bare, (0, 0) if new else running.before[local], open_end))
        return found

    def _note(self, call: int, begun: int, before: Marks, after: Marks) -> None:
        ended = time.time_ns()
        for local, now in after.items():
            new = local not in before
            since = (0, 0) if new else before[local]
            if not new and now == since and now is not None:
                continue
            self._locals.add(local)
            self._kept.append(_crossing(CallTraffic(call, local, begun, ended, opened=new), since, now))
        if len(self._locals) > 2 * KEPT:
            self._locals = {traffic.local for traffic in self._kept}

    def _by_time(self, traffic: CallTraffic, capture: Capture) -> Iterator[Segment]:
        """Openings, ends, and segments that only their time assigns to a call."""
        segments = capture.segments
        first = bisect_left(segments, traffic.begun, capture.let_go, key=lambda segment: segment.time_ns)
        for index in range(first, min(first + MOST, len(segments))):
            segment = segments[index]
            if segment.time_ns > traffic.ended + _SLACK_NS:
                return
            if traffic.covers(segment) and self.call_of(segment) == traffic.call:
                yield segment


def _bare(error: Exception) -> Exception:
    """The same without its traceback, which would keep sockets open."""
    try:
        return copy(error)
    except Exception:  # noqa: BLE001 - an exception of an installed package may not be made to be copied
        return Exception(str(error))


def _crossing(bare: CallTraffic, since: Counts | None, now: Counts | None) -> CallTraffic:
    if since is None:
        return bare
    closed = now is None
    sent, read = now or (_EVERYTHING, _EVERYTHING)
    return CallTraffic(
        bare.call, bare.local, bare.begun, bare.ended, bare.opened, closed,
        range(since[0], sent), range(since[1], read),
    )  # fmt: skip


def _by_position(traffic: CallTraffic, flow: Flow, capture: Capture) -> Iterator[int]:
    for direction, crossed in ((Direction.TO_SERVER, traffic.sent), (Direction.TO_CLIENT, traffic.read)):
        if crossed is None or not crossed:
            continue
        chunks = capture.stream(flow, direction)
        first = bisect_left(chunks, crossed.start + 1, key=lambda chunk: chunk.offset + chunk.length)
        for index in range(first, min(first + MOST, len(chunks))):
            if chunks[index].offset >= crossed.stop:
                break
            yield chunks[index].segment
