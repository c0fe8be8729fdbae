"""One look at a UDP server's sockets. The kernel knows them as a whole, not by client."""

from __future__ import annotations

from collections.abc import Collection

from netlab.capture.model import Endpoint
from netlab.kernel.sock_diag import datagram_sockets
from netlab.lab.sampling.place import ServerPlace
from netlab.lab.sampling.processes import ProcessLook
from netlab.lab.sampling.subject import Subject
from netlab.lab.server_sockets import ServerSockets


class DatagramLook:
    """Looks at one server, again and again. Datagrams wait if they did at the look before, too."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._place = ServerPlace(subject.server)
        self._processes = ProcessLook()
        self._waited = False

    @property
    def spent(self) -> float:
        """Seconds spent on what has a budget of its own."""
        return self._processes.spent

    def look(self, watched: Collection[Endpoint], now: int) -> ServerSockets:
        """Ask the kernel. Raises `OSError`."""
        rows = self._place.listening([row for row in datagram_sockets(self._subject.server.port) if not row.remote[1]])
        if not rows:
            return ServerSockets(self._subject.server, unknown="the kernel shows no socket there")
        waits, waited = any(row.receive_queue for row in rows), self._waited
        self._waited = waits
        processes = self._processes.look((row.inode for row in rows), self._subject.pid)
        known = bool(processes.pids) and not processes.forwarder
        return ServerSockets(
            self._subject.server,
            name=processes.name,
            forwarder=processes.forwarder,
            processes=len(processes.pids) if known else None,
            threads=processes.threads if known else None,
            datagrams_wait=waits and waited,
            drops=sum(row.drops or 0 for row in rows),
        )
