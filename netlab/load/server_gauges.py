"""What is known of a server while it is under load. The kernel is asked about any server on this machine."""

from __future__ import annotations

from collections.abc import Callable

from netlab.capture.model import Endpoint, Transport
from netlab.kernel.sock_diag import connections, listeners, unavailable
from netlab.kernel.socket_row import State
from netlab.lab.lab import Lab
from netlab.lab.sampling.budget import Budget
from netlab.lab.sampling.place import ServerPlace
from netlab.lab.sampling.processes import ProcessLook
from netlab.load.points import GaugeValues

_MOST_CONNECTIONS = 20_000
_LEFT = frozenset({State.CLOSE_WAIT, State.LAST_ACK, State.CLOSING})
"""The client's end has come; unread it counts one byte."""


class ServerSocketLook:
    """Asks the kernel about a TCP server's sockets, each kind of question for a small share of the time."""

    def __init__(self, server: Endpoint) -> None:
        self._place, self._port = ServerPlace(server), server.port
        self._processes = ProcessLook()
        self._budget = Budget(0.0)
        self._unread: int | None = None
        self._able = not unavailable()

    def look(self, pid: int | None = None) -> GaugeValues:
        """What the kernel says now; all unknown where it cannot be asked."""
        if not self._able or not self._place.addresses:
            return GaugeValues()
        try:
            rows = self._place.listening(listeners(self._port))
            processes = self._processes.look((row.inode for row in rows), pid)
            unread = self._count_unread()
        except OSError:
            return GaugeValues()
        queue = sum(row.receive_queue for row in rows) if rows else None
        if not processes.pids or processes.forwarder:
            return GaugeValues(queue, unread)
        return GaugeValues(queue, unread, processes.threads, len(processes.pids))

    def _count_unread(self) -> int | None:
        """Bytes that came and that the server has not read, of all its connections; the last count if it took long."""
        if self._budget.due:
            with self._budget.spend():
                found = connections(self._port, _MOST_CONNECTIONS)
                here = [row for row in found.rows if self._place.is_here(row)]
                unread = sum(max(0, row.receive_queue - (row.state in _LEFT)) for row in here)
                self._unread = unread if found.complete else None
        return self._unread


def address_gauges(server: Endpoint, transport: Transport) -> Callable[[], GaugeValues]:
    """Of a server at an address. Of UDP sockets the kernel knows memory, not bytes: nothing is said."""
    return ServerSocketLook(server).look if transport is Transport.TCP else GaugeValues


def lab_gauges(lab: Lab) -> Callable[[], GaugeValues]:
    """Of a lab's server. What it reports itself goes first."""
    looks: dict[Endpoint, ServerSocketLook] = {}

    def now() -> GaugeValues:
        state = lab.state
        found, server = GaugeValues(), state.server_address
        if server is not None and lab.topic.transport is Transport.TCP:
            if server not in looks:
                looks.clear()
                looks[server] = ServerSocketLook(server)
            found = looks[server].look(state.server_pid)
        return GaugeValues(
            state.queue if found.queue is None else found.queue,
            found.unread,
            found.threads if state.threads is None else state.threads,
            found.processes if state.processes is None else state.processes,
        )

    return now
