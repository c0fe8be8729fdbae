"""One look at a TCP server's sockets: its queues, the watched flows, and now and then all of its connections."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

from netlab.capture.model import Endpoint
from netlab.kernel.sock_diag import connections, connections_between, listeners
from netlab.kernel.socket_row import Address, SocketRow, State
from netlab.lab.sampling.budget import Budget
from netlab.lab.sampling.place import ServerPlace
from netlab.lab.sampling.processes import ProcessLook
from netlab.lab.sampling.subject import Measures, Subject, WireFlow, WireFlows
from netlab.lab.server_sockets import FlowSockets, ServerSockets

MOST_WATCHED: Final = 128
"""WireFlows that are asked for one by one in each look."""
MOST_CONNECTIONS: Final = 20_000
"""Connections that are counted; of more than these nothing is said."""
A_MOMENT: Final = 1_000_000_000
"""Nanoseconds after which a connection that the wire has not reported did not come through it, and after which a server
that has not closed is not just about to."""
COUNTING: Final = 0.5
"""Seconds between two counts of all connections, at least."""
_ENDED: Final = frozenset({State.CLOSE_WAIT, State.LAST_ACK, State.CLOSING, State.TIME_WAIT})
"""The other side has sent its end, and it has come."""
_ENDING: Final = frozenset({State.FIN_WAIT1, State.LAST_ACK, State.CLOSING})
"""This side has sent its end, and the other side has not confirmed that."""


class _Sockets(NamedTuple):
    """A flow's sockets: the server's, the wire's towards it, and the wire's towards the client."""

    server: SocketRow | None = None
    upstream: SocketRow | None = None
    client: SocketRow | None = None


class StreamLook:
    """Looks at one server, again and again; it remembers what takes several looks to know."""

    def __init__(self, subject: Subject, flows: WireFlows, measure: Measures) -> None:
        self._subject, self._flows, self._measure = subject, flows, measure
        self._place = ServerPlace(subject.server)
        self._processes = ProcessLook()
        self._all = Budget(COUNTING)
        self._left: int | None = None
        self._direct: int | None = None
        self._strangers: dict[Address, int] = {}  # connections that the wire has not reported, and since when
        self._leavers: dict[Address, int] = {}  # connections whose clients have left, and since when
        self._waited: dict[int, int] = {}  # when a flow was last seen in the accept queue

    @property
    def spent(self) -> float:
        """Seconds spent on what has a budget of its own."""
        return self._processes.spent + self._all.spent

    def look(self, watched: Collection[Endpoint], now: int) -> ServerSockets:
        """Ask the kernel; ``now`` is nanoseconds since the epoch. Raises `OSError`."""
        listening = self._place.listening(listeners(self._subject.server.port))
        processes = self._processes.look((row.inode for row in listening), self._subject.pid)
        flows = self._flows_of(watched, now)
        if self._place.addresses and self._all.due:
            with self._all.spend():
                self._count(now)
        forwarder = processes.forwarder
        known = bool(processes.pids) and not forwarder
        return ServerSockets(
            self._subject.server,
            sum(row.receive_queue for row in listening) if listening else None,
            sum(row.send_queue for row in listening) if listening else None,
            self._left,
            self._direct,
            processes.name,
            forwarder,
            len(processes.pids) if known else None,
            processes.threads if known else None,
            flows=flows,
            unknown="" if listening else _why_unknown(self._place),
        )

    def _flows_of(self, watched: Collection[Endpoint], now: int) -> Mapping[Endpoint, FlowSockets]:
        wanted = [*self._flows.open_flows(watched)[:MOST_WATCHED]]
        asked = wanted + self._undecided({flow.number for flow in wanted})
        if not asked:
            return {}
        measured = self._measure([flow.number for flow in wanted]) if wanted else {}
        sockets = dict(zip([flow.number for flow in asked], self._sockets(asked, measured), strict=True))
        for flow in asked:
            self._note_acceptance(flow, sockets[flow.number].server, now)
        rows = [row for flow in wanted if (row := sockets[flow.number].server)]
        self._processes.find_holders([row.inode for row in rows])
        found = {}
        for flow in wanted:
            view = self._view(sockets[flow.number], *measured.get(flow.number, (0, 0)))
            if view is not None:
                found[flow.client] = view
        return found

    def _undecided(self, others: Collection[int]) -> list[WireFlow]:
        """The first flows of which nobody knows yet whether they were accepted: those go first."""
        if self._subject.reports:
            return []
        return [flow for flow in self._flows.undecided(MOST_WATCHED) if flow.number not in others]

    def _sockets(self, flows: Sequence[WireFlow], measured: Mapping[int, tuple[int, int]]) -> list[_Sockets]:
        """The wire's socket towards a client is asked for only if bytes wait in the wire: it may not read then."""
        servers = [self._place.towards(flow.upstream) for flow in flows]
        pairs = [pair for flow, server in zip(flows, servers, strict=True) if server is not None
                 for pair in ((server, flow.upstream), (flow.upstream, server))]  # fmt: skip
        rows = iter(connections_between(pairs))
        found = [_Sockets(next(rows), next(rows)) if server is not None else _Sockets() for server in servers]
        slow = [
            at for at, (flow, each) in enumerate(zip(flows, found, strict=True))
            if each.upstream is not None and (each.upstream.send_queue or measured.get(flow.number, (0, 0))[1])
        ]  # fmt: skip
        clients = connections_between([(self._wire_towards(flows[at]), flows[at].client) for at in slow])
        for at, client in zip(slow, clients, strict=True):
            found[at] = found[at]._replace(client=client)
        return found

    def _wire_towards(self, flow: WireFlow) -> Address:
        """The wire's own address at which a client arrived. On a wire that listens everywhere it is the client's."""
        wire = self._subject.wire or flow.client
        return (flow.client.host if wire.host in ("0.0.0.0", "::") else wire.host), wire.port

    def _note_acceptance(self, flow: WireFlow, row: SocketRow | None, now: int) -> None:
        if row is None or flow.accepted is not None or self._subject.reports:
            self._waited.pop(flow.number, None)
        elif row.waits_to_be_accepted:
            self._waited[flow.number] = now
        else:
            self._flows.accepted_between(flow.number, self._waited.pop(flow.number, flow.opened), now)

    def _view(self, sockets: _Sockets, before: int, waiting: int) -> FlowSockets | None:
        row = sockets.server
        if row is None or row.position_read is None:
            return None
        unread, unsent, came = row.receive_queue, 0, 0
        if row.state in _ENDED and unread:  # the end counts as one byte until it is read
            unread -= 1
        if sockets.upstream is not None:
            unsent = max(sockets.upstream.send_queue - (sockets.upstream.state in _ENDING), 0)
        if sockets.client is not None:
            came = max(sockets.client.receive_queue - (sockets.client.state in _ENDED), 0)
        return FlowSockets(
            row.position_read - before,
            accepted=not row.waits_to_be_accepted,
            left=row.state is State.CLOSE_WAIT,
            server_queue=unread,
            send_queue=unsent,
            at_wire=waiting + came,
            pid=self._processes.holder_of(row.inode),
        )

    def _count(self, now: int) -> None:
        """Count the server's connections whose clients have left, and those that did not come through the wire."""
        found = connections(self._subject.server.port, MOST_CONNECTIONS)
        if not found.complete:
            self._left = self._direct = None
            return
        here = [row for row in found.rows if self._place.is_here(row)]
        left = (row.remote for row in here if row.state is State.CLOSE_WAIT and row.inode)
        living = (row.remote for row in here if row.state in (State.ESTABLISHED, State.CLOSE_WAIT))
        strangers = (peer for peer in living if not self._flows.knows(Endpoint(*peer)))
        self._leavers = {peer: self._leavers.get(peer, now) for peer in left}
        self._strangers = {peer: self._strangers.get(peer, now) for peer in strangers}
        self._left, self._direct = (
            sum(now - since >= A_MOMENT for since in known.values()) for known in (self._leavers, self._strangers)
        )


def _why_unknown(place: ServerPlace) -> str:
    where = "this computer has no such address" if not place.addresses else "the kernel shows no listener there"
    return f"{where}: it may be in a container, on another computer, or not started"
