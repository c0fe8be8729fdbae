"""Why a connection ended, or a call gets no answer. Sessions ask, from their own thread, by the client's address."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from netlab.capture.model import Endpoint
from netlab.lab.processes.flow_table import EXPLAINING, REPORTING, FlowRecord, FlowTable


@dataclass(frozen=True, slots=True)
class CloseReason:
    """What is known of a connection's end; empty if nothing is.

    ``fault`` is how a fault of the wire ended it; ``server`` why the server ended it, in its own words; ``restart`` how
    a person stopped or restarted the server; ``held`` how many seconds a segment of it was held by hand; ``by_wire`` is
    whether the wire ended it, for any reason.
    """

    fault: str = ""
    server: str = ""
    restart: str = ""
    held: float = 0.0
    by_wire: bool = False

    @property
    def words(self) -> str:
        """One sentence, or empty."""
        if self.fault:
            return f"the wire did that, not the server: {self.fault}; :clear-faults removes all faults"
        if self.restart:
            return self.restart
        hold = f"the wire did that: a segment was held by hand for {self.held:.1f} s" if self.held else ""
        return "; ".join(filter(None, (self.server, hold)))

    def of_closed(self, *, reset: bool) -> str:
        """What became of the connection and why, if that is known; ``reset`` says how it ended."""
        how = "the connection was reset (RST)" if reset else "the server closed the connection"
        return f"{how}: {self.restart}" if self.restart else self.words or how


class CloseReasons:
    """Knows no reasons: for the client of a server outside any lab."""

    def of(self, client: Endpoint, *, closed: bool) -> CloseReason:
        """Why the connection from that address is ``closed``, or why it gets no answer."""
        return CloseReason()

    def holding(self, client: Endpoint) -> bool:
        """Whether a segment of that connection is held by hand now."""
        return False


class LabCloseReasons(CloseReasons):
    """Knows a lab's flows. ``fault`` returns the fault that ended the connection from an address.

    ``reports`` says whether the server reports the ends of its connections.
    """

    def __init__(self, flows: FlowTable, fault: Callable[[Endpoint], str], *, reports: bool = True) -> None:
        self._flows, self._fault = flows, fault
        self._waiting = EXPLAINING if reports else REPORTING

    def of(self, client: Endpoint, *, closed: bool) -> CloseReason:
        """For a closed connection this waits a moment, since the server's report may come after the end."""
        if fault := self._fault(client):
            return CloseReason(fault=fault, by_wire=True)
        fact = self._flows.of(client, _explained if closed else None, self._waiting)
        server = fact.ending.words if fact is not None and fact.ending is not None else ""
        unreached = fact is not None and fact.unreached
        if fact is not None and unreached:
            server = f"the wire got {fact.how}"
        restart = fact.restart if fact is not None else ""
        held = self._flows.hold_of(client, time.time_ns()) / 1e9
        by_wire = unreached or bool(held) or (fact is not None and fact.by_wire)
        return CloseReason("", server, restart, held, by_wire)

    def holding(self, client: Endpoint) -> bool:
        """Whether the wire holds a segment of it."""
        return self._flows.hold_of(client, time.time_ns(), 0) > 0


def _explained(fact: FlowRecord) -> bool:
    return fact.ending is not None or fact.unreached or bool(fact.restart)
