"""What a server reports of its clients, as values: accepted, closed, dropped, refused."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from netlab.capture.model import Endpoint


class PeerEventKind(Enum):
    """What happened to a client's connection. The values are those that the serving process writes."""

    ACCEPTED = "accepted"
    CLOSED = "closed"
    DROPPED = "dropped"
    """The server ended the connection because the client stalled or broke off."""
    REFUSED = "refused"
    """The server ended the connection because of what the client sent."""


@dataclass(frozen=True, slots=True)
class PeerEvent:
    """One event of the client with address ``peer``. ``reason`` says why the server ended the connection, if it did."""

    what: PeerEventKind
    peer: Endpoint
    reason: str = ""

    @property
    def ends(self) -> bool:
        """Whether the connection has ended for the server."""
        return self.what is not PeerEventKind.ACCEPTED

    @property
    def words(self) -> str:
        """Why the server ended the connection, in its own words; empty for a normal end."""
        lead = {PeerEventKind.DROPPED: "dropped by the server", PeerEventKind.REFUSED: "refused"}.get(self.what)
        return f"{lead}: {self.reason}" if lead else ""
