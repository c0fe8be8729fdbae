"""The line below the wire list: where the bytes of the flow at the cursor are that the server has not read."""

from __future__ import annotations

import time
from typing import Final

from textual.widgets import Static

from netlab.lab.server_sockets import FlowSockets, ServerSockets
from netlab.ui.wire.segment_row import UNREAD

STEADY: Final = 1.0
"""Seconds for which there must be something to say, or nothing, before the line comes or goes."""


def words(number: int, flow: FlowSockets, server: ServerSockets) -> str:
    """What is notable about a flow; empty if nothing is."""
    whose = f"{server.name}'s" if server.forwarder else "the server's"
    places = (
        (flow.server_queue, f"in {whose} queue"),
        (flow.send_queue, "in the wire's send queue"),
        (flow.at_wire, "at the wire"),
    )
    unread = ", ".join(f"{count:,} B {place}" for count, place in places if count)
    several = (server.processes or 0) > 1
    facts = (
        "" if flow.accepted else "waits to be accepted",
        f"process {flow.pid} has it" if several and flow.pid is not None else "",
        "its client has left, the server has not closed" if flow.left and flow.accepted else "",
        f"unread: {unread}" if unread else "",
    )
    said = " · ".join(filter(None, facts))
    return f"{UNREAD if unread else ' '} flow {number}: {said}" if said else ""


class FlowLine(Static):
    """Shows `words`. Bytes that the server reads at once are not worth a line that comes and goes."""

    DEFAULT_CSS = """
    FlowLine { display: none; height: auto; max-height: 3; padding: 0 1; color: $text-warning; }
    FlowLine.-shown { display: block; }
    """

    def __init__(self) -> None:
        super().__init__("", markup=False)
        self._said = ""
        self._notable, self._since = False, 0.0

    def look(self, said: str) -> None:
        """Show these words, or nothing; call it often."""
        now = time.monotonic()
        if bool(said) != self._notable:
            self._notable, self._since = bool(said), now
        steady = now - self._since >= STEADY
        if said and said != self._said and (steady or self.has_class("-shown")):
            self._said = said
            self.update(said)
        if steady:
            self.set_class(bool(said), "-shown")
