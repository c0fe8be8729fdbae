"""What the kernel knows of a lab's server and of its connections, as values. Nothing here asks the kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from netlab.capture.model import Endpoint


@dataclass(frozen=True, slots=True)
class FlowSockets:
    """One flow at the moment of the last look. Bytes are payload on its way to the server.

    ``position`` is how much of the stream the server has read, counted as the capture counts; one more if it has read
    the stream's end, too. The bytes that it has not read are in its own queue (``server_queue``), in the wire's send
    queue (``send_queue``), or at the wire: not read there yet, or held (``at_wire``). ``accepted`` says that the server
    has taken it out of its accept queue, ``left`` that the client has sent its end and the server has not closed.
    ``pid`` is the process that has it, if that is known.
    """

    position: int
    accepted: bool
    left: bool = False
    server_queue: int = 0
    send_queue: int = 0
    at_wire: int = 0
    pid: int | None = None

    @property
    def unread(self) -> int:
        """Bytes that the client has sent and the server has not read."""
        return self.server_queue + self.send_queue + self.at_wire


@dataclass(frozen=True, slots=True)
class ServerSockets:
    """A server's sockets at the moment of the last look. None means unknown.

    ``queue`` of ``backlog`` connections wait in the accept queues of all sockets that listen there. ``left`` counts the
    connections whose clients have left and that the server has not closed, ``direct`` those that did not come through
    the wire. ``name`` is that of the process that listens, safe for the screen; a ``forwarder`` only passes on, and
    nothing is known of what is behind it. ``datagrams_wait`` and ``drops`` are about a UDP server's sockets as a whole.
    ``flows`` has the flows that are watched, by client. ``unknown`` says in a few words why the rest is not known.
    """

    server: Endpoint
    queue: int | None = None
    backlog: int | None = None
    left: int | None = None
    direct: int | None = None
    name: str = ""
    forwarder: bool = False
    processes: int | None = None
    threads: int | None = None
    datagrams_wait: bool = False
    drops: int | None = None
    flows: Mapping[Endpoint, FlowSockets] = field(default_factory=dict)
    unknown: str = ""
