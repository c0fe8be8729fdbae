"""What a lab's children say about themselves, put together into a state. Pure."""

from __future__ import annotations

from dataclasses import replace

from netlab.capture.model import Transport
from netlab.lab.processes.server_process import ServerProcess
from netlab.lab.processes.wire_process import WireProcess
from netlab.lab.state import LabState


def look(state: LabState, server: ServerProcess | None, wire: WireProcess | None, transport: Transport) -> LabState:
    """The state with what the children say; ``server`` is None while it does not serve."""
    if wire is not None:
        state = replace(
            state,
            accounts=wire.accounts,
            faults=wire.faults,
            capture_note=_note(wire),
            intercept=wire.intercept,
            held=tuple(wire.held.values()),
        )
    if wire is None or server is None:
        return state
    return replace(
        state,
        address=wire.endpoint,
        server_address=server.endpoint,
        server_pid=server.child.pid,
        queue=_queue(server, wire) if transport is Transport.TCP else None,
        backlog=server.gauges.backlog,
        threads=server.gauges.threads,
        processes=server.gauges.processes,
    )


def _note(wire: WireProcess) -> str:
    """What is not in the capture and what to try, then what else troubles the wire."""
    return "; ".join(filter(None, (wire.note and f"{wire.note}; :clear begins anew", wire.trouble)))


def _queue(server: ServerProcess, wire: WireProcess) -> int:
    """The accept queue: the kernel's word, else the flows open at the wire that the server does not hold."""
    told = server.gauges.queue
    return told if told is not None else max(0, wire.accounts.clients - server.held)
