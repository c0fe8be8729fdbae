"""The servers of `socketserver`, hardened: no client can hold a place by silence, use up threads, or end the server.

Standard library only; `netlab eject` writes this folder beside the recipes. What it adds, and why:

- a client that stalls is dropped: `netlab.hardening.clients` limits each wait;
- threads and processes are bounded: while all are taken nobody is accepted, and clients wait in the accept queue;
- without a file descriptor for the next client it logs that once, waits, and goes on;
- each client is logged in one line when it is accepted, closed, dropped or refused, and never in a traceback.
"""

from __future__ import annotations

import logging
import math
import socket
import sys
import threading
import time
from contextlib import suppress
from socketserver import BaseRequestHandler, TCPServer, ThreadingMixIn
from typing import Any, cast

from netlab.hardening.clients import ClientSocket
from netlab.hardening.events import ACCEPTED, CLOSED, DROPPED, REFUSED, Refused, name
from netlab.hardening.patience import Deadline, Patience

log = logging.getLogger(__name__)


class HardenedServer(TCPServer):
    """One client at a time."""

    allow_reuse_address = True  # else the port stays taken for a minute after a stop
    handler: type[BaseRequestHandler]
    first_byte = 5.0  # seconds for what a client must say first, in protocols that look at it: the others wait
    starved = False

    def __init__(self, address: tuple[str, int], *, timeout: float = 30.0) -> None:
        self.address_family = family(address)
        self.patience = Patience(timeout)
        super().__init__(address, self.handler)

    def first_deadline(self) -> Deadline:
        """When a client that has just been accepted must have begun, or shaken hands."""
        return Deadline(self.patience, self.first_byte)

    def get_request(self) -> tuple[ClientSocket, Any]:
        """Accept a client."""
        try:
            accepted, address = super().get_request()
        except OSError as error:
            if not self.starved:
                log.warning("nobody can be accepted for now: %s", error.strerror)
            self.starved = True
            time.sleep(0.1)  # else socketserver tries again at once, until there is a file descriptor for the client
            raise
        self.starved = False
        log.info(ACCEPTED, name(address))
        return ClientSocket.of(accepted, self.patience), address

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Serve a client to its end. Its handler may return then, or raise `EOFError`."""
        request.limit_waits()  # again: it may be another thread or process than the one that accepted it
        with suppress(EOFError):
            super().finish_request(request, client_address)
        log.info(CLOSED, name(client_address))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log why a client was let go, in one line instead of a traceback."""
        match error := sys.exception():
            case Refused():
                log.warning(REFUSED, name(client_address), error)
            case OSError():
                log.warning(DROPPED, name(client_address), error)
            case _:
                log.error(DROPPED, name(client_address), f"the handler failed: {error!r}")


class BoundedThreadingMixIn(ThreadingMixIn):
    """A thread for each client, and at most 500 of them."""

    request_queue_size = 128  # with 5, two hundred clients at once wait half a minute for one another
    first_byte = math.inf
    daemon_threads = True
    block_on_close = False
    most_clients = 500

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.places = threading.BoundedSemaphore(self.most_clients)
        super().__init__(*arguments, **options)

    def get_request(self) -> tuple[Any, Any]:
        """Accept a client once a place is free."""
        self.places.acquire()
        try:
            return cast("tuple[Any, Any]", super().get_request())  # type: ignore[misc]  # the server's, next in the MRO
        except BaseException:
            self.places.release()
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start a client's thread."""
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # the system has no thread left
            self.places.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a client, in its thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.places.release()


def family(address: tuple[str, int]) -> socket.AddressFamily:
    """IPv6 for an address with colons, else IPv4."""
    return socket.AF_INET6 if ":" in address[0] else socket.AF_INET
