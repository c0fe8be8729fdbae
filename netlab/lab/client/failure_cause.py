"""Why a session's connection closed or a call of it failed, if that is due to the wire or the server."""

from __future__ import annotations

from netlab.capture.model import Endpoint
from netlab.lab.client.cancellable_socket import Abandoned
from netlab.lab.client.close_reason import CloseReason, CloseReasons
from netlab.lab.client.connection import Connection
from netlab.lab.errors import LabError


class FailureCause:
    """``found`` is what was found last; ``by_fault`` is the client's address on the connection a fault ended last."""

    def __init__(self, close_reasons: CloseReasons) -> None:
        self.found = CloseReason()
        self.by_fault: Endpoint | None = None
        self._close_reasons = close_reasons

    def forget(self) -> None:
        """Another connection begins."""
        self.found = CloseReason()

    def find(self, connection: Connection, *, closed: bool) -> CloseReason:
        """Why a connection is ``closed``, or why it gets no answer."""
        local = connection.last_local
        self.found = self._close_reasons.of(local, closed=closed) if local is not None else CloseReason()
        if self.found.fault:
            self.by_fault = local
        return self.found

    def of_error(self, connection: Connection, error: Exception) -> str:
        """Why a call failed with this exception; empty if the cause is neither the wire nor the server."""
        if isinstance(error, LabError | Abandoned):
            return ""
        closed = isinstance(error, ConnectionError | EOFError) or connection.peer_closed()
        reason = self.find(connection, closed=closed)
        if not (closed or reason.fault or isinstance(error, TimeoutError)):
            return ""
        return reason.words
