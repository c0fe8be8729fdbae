"""Lets the server report where it stands while somebody looks, with its clients' own addresses and those that wait."""

from __future__ import annotations

from dataclasses import replace

from netlab.capture.model import Endpoint
from netlab.lab.processes.flow_table import FlowTable
from netlab.lab.processes.server_and_wire import ServerAndWire
from netlab.lab.standing.standings import Standings
from netlab.lab.state import Phase

MOST_WAITING = 128
"""Clients in the accept queue that are named."""


class StandingWatch:
    """Each that looks is named, so that one that looks away takes nothing from another. Any thread."""

    def __init__(self, now: ServerAndWire, flows: FlowTable) -> None:
        self._now, self._flows = now, flows
        self._watchers: frozenset[str] = frozenset()

    def want(self, who: str, on: bool) -> None:
        """Somebody looks, or looks no more. Said again, it reaches a server that has started meanwhile."""
        self._watchers = self._watchers | {who} if on else self._watchers - {who}
        if (server := self._now.server) is not None:
            server.watch_standing(bool(self._watchers))

    @property
    def latest(self) -> Standings | None:
        """Where the server stands; None while it does not serve, or does not report that."""
        server, state = self._now.server, self._now.state
        if server is None or state.phase is not Phase.SERVING or (found := server.standing) is None:
            return None
        return replace(found.renamed(self._client), waiting=self._waiting(state.queue or 0, found.clients))

    def _client(self, upstream: Endpoint) -> Endpoint:
        return self._flows.client_of(upstream) or upstream

    def _waiting(self, queue: int, served: frozenset[Endpoint]) -> tuple[Endpoint, ...]:
        """The queue is first come, first served, so it holds the last to come of those not known to be accepted."""
        undecided = [each for each in self._flows.undecided(queue + MOST_WAITING) if each.upstream not in served]
        return tuple(each.client for each in undecided[-queue:]) if queue else ()
