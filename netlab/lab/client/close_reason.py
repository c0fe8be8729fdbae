"""Why a connection ended, or a call waits in vain: asked by a session, from its own thread, with a client's address."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from netlab.capture.model import Endpoint
from netlab.lab.processes.flow_table import FlowRecord, FlowTable


@dataclass(frozen=True, slots=True)
class CloseReason:
    """What is known of a connection's end. All are empty where nothing is.

    ``fault`` is what a fault of the wire did; ``server`` why the server ended it, in its own words; ``restart`` what a
    person did to the server; ``held`` for how many seconds a person holds, or held until then, a segment of it.
    """

    fault: str = ""
    server: str = ""
    restart: str = ""
    held: float = 0.0

    @property
    def words(self) -> str:
        """In one sentence, or nothing."""
        if self.fault:
            return f"the wire did that, not the server: {self.fault}; :clear-faults ends all faults"
        if self.restart:
            return self.restart
        hold = f"the wire did that: a segment was held by hand for {self.held:.1f} s" if self.held else ""
        return "; ".join(filter(None, (self.server, hold)))


class CloseReasons:
    """Knows nothing: for a client of a server that no lab runs."""

    def of(self, client: Endpoint, *, closed: bool) -> CloseReason:
        """Why the connection from that address is ``closed``; or what else keeps it from being answered."""
        return CloseReason()

    def holding(self, client: Endpoint) -> bool:
        """Whether a person holds a segment of that connection now."""
        return False


class LabCloseReasons(CloseReasons):
    """Knows what a lab's flows say. ``fault`` asks for the fault that ended one."""

    def __init__(self, flows: FlowTable, fault: Callable[[Endpoint], str]) -> None:
        self._flows, self._fault = flows, fault

    def of(self, client: Endpoint, *, closed: bool) -> CloseReason:
        """For a closed one it waits a moment, since the server says so on another way than the one that ends it."""
        if fault := self._fault(client):
            return CloseReason(fault=fault)
        fact = self._flows.of(client, _explained if closed else None)
        server = fact.ending.words if fact is not None and fact.ending is not None else ""
        restart = fact.restart if fact is not None else ""
        return CloseReason("", server, restart, self._flows.hold_of(client, time.time_ns()) / 1e9)

    def holding(self, client: Endpoint) -> bool:
        """Whether a segment of it waits at the wire."""
        return self._flows.hold_of(client, time.time_ns(), 0) > 0


def _explained(fact: FlowRecord) -> bool:
    return fact.ending is not None or bool(fact.restart)
