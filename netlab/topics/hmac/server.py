"""An echo server that first asks the client to prove that it knows a secret.

The server sends 32 random bytes, the client sends back their HMAC-SHA256 under the secret. The secret itself never
crosses the wire, and a recorded digest is worth nothing, for the next challenge is another one. Only the client is
authenticated, and nothing after the handshake is: that is what TLS is for.
"""

from __future__ import annotations

import argparse
import hmac
import logging
import os
from socketserver import BaseRequestHandler

from netlab.hardening.clients import ClientSocket
from netlab.hardening.command import main
from netlab.hardening.events import Refused, name
from netlab.hardening.patience import Deadline
from netlab.hardening.receiving import recv_exactly
from netlab.hardening.server import BoundedThreadingMixIn, HardenedServer

log = logging.getLogger(__name__)
DIGEST_LENGTH = 32  # of SHA-256


def authenticate(client: ClientSocket, secret: bytes, deadline: Deadline) -> None:
    """Challenge the client; raise `Refused` if its digest is wrong."""
    challenge = os.urandom(32)
    client.sendall(challenge)
    try:
        response = recv_exactly(client, DIGEST_LENGTH, deadline)
    except TimeoutError:
        raise TimeoutError(f"no whole digest within {deadline.seconds:g} s") from None
    if len(response) < DIGEST_LENGTH:
        raise ConnectionError(f"short digest: it left after {len(response)} of {DIGEST_LENGTH} bytes")
    expected = hmac.digest(secret, challenge, "sha256")
    if not hmac.compare_digest(response, expected):  # == is faster the earlier they differ, which can be measured
        raise Refused("wrong digest: it does not know the secret")


class EchoHandler(BaseRequestHandler):
    """Serves one client."""

    server: Server

    def handle(self) -> None:
        """Send back what comes, once the client has shown that it knows the secret."""
        authenticate(self.request, self.server.secret, self.server.first_deadline())
        log.info("%s knows the secret", name(self.client_address))
        while message := self.request.recv(8192):
            self.request.sendall(message)


class Server(HardenedServer):
    """One client at a time; the others wait in the accept queue."""

    handler = EchoHandler

    def __init__(self, address: tuple[str, int], *, timeout: float = 30.0, secret: bytes = b"peekaboo") -> None:
        if not secret:
            raise ValueError("the secret must not be empty")
        self.secret = secret
        super().__init__(address, timeout=timeout)


class ThreadingServer(BoundedThreadingMixIn, Server):
    """A thread for each client."""


MODELS = {"threading": ThreadingServer, "single": Server}

if __name__ == "__main__":
    options = argparse.ArgumentParser(add_help=False)
    options.set_defaults(secret=os.environ.get("NETLAB_SECRET", "peekaboo").encode())
    main(MODELS, port=18000, options=options)
