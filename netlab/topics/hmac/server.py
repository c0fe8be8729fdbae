"""An echo server that first asks the client to prove that it knows a secret.

The server sends 32 random bytes, the client sends back their HMAC-SHA256 under the secret. The secret itself never
crosses the wire, and a recorded digest is worth nothing, for the next challenge is another one. Only the client is
authenticated, and nothing after the handshake is: for that there is TLS. Standard library only; ``python server.py``.
"""

from __future__ import annotations

import argparse
import hmac
import logging
import os
import select
import socket
import sys
import threading
import time
from contextlib import suppress
from socketserver import BaseRequestHandler, TCPServer, ThreadingMixIn
from typing import Any

log = logging.getLogger(__name__)
CHALLENGE_LENGTH = 32
DIGEST_LENGTH = 32  # of SHA-256


def authenticate(client: socket.socket, secret: bytes, patience: float) -> None:
    """Challenge the client; raise `PermissionError` if its digest is wrong, within ``patience`` seconds in all."""
    deadline = time.monotonic() + patience
    challenge = os.urandom(CHALLENGE_LENGTH)
    client.settimeout(patience)
    client.sendall(challenge)
    try:
        response = recv_exactly(client, DIGEST_LENGTH, deadline)
    except TimeoutError:
        raise TimeoutError(f"no whole digest within {patience:g} s") from None
    if not hmac.compare_digest(response, hmac.digest(secret, challenge, "sha256")):  # == tells by its time how far
        raise PermissionError("wrong digest: it does not know the secret")


def recv_exactly(client: socket.socket, size: int, deadline: float) -> bytes:
    """So many bytes, however they are sliced: ``recv(32)`` returns from 1 to 32 of them."""
    received = b""
    while len(received) < size:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        client.settimeout(left)
        chunk = client.recv(size - len(received))
        if not chunk:
            raise ConnectionError(f"short digest: it left after {len(received)} of {size} bytes")
        received += chunk
    return received


class EchoHandler(BaseRequestHandler):
    """Sends back whatever comes from a client that knows the secret."""

    server: SingleServer

    def handle(self) -> None:
        """Serve one client."""
        authenticate(self.request, self.server.secret, self.server.patience)
        log.info("%s knows the secret", name(self.client_address))
        patience = self.server.patience
        self.request.settimeout(patience)
        try:
            while message := self.request.recv(8192):
                self.request.sendall(message)
        except TimeoutError:
            raise TimeoutError(stalled(self.request, patience)) from None


def stalled(client: socket.socket, seconds: float) -> str:
    """Why a client was waited for too long: it says nothing, or its unread answers fill the kernel's buffers."""
    watch = select.poll()
    watch.register(client, select.POLLOUT)
    return f"silent for {seconds:g} s" if watch.poll(0) else "it does not read what it is sent"


class SingleServer(TCPServer):
    """One client at a time; the others wait in the accept queue."""

    allow_reuse_address = True  # else the port stays taken for a minute after a stop
    request_queue_size = 5
    starved = False

    def __init__(self, address: tuple[str, int], secret: bytes, patience: float) -> None:
        self.secret = secret
        self.patience = patience
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, EchoHandler)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a client."""
        try:
            client, address = super().get_request()
        except OSError as error:
            if not self.starved:
                log.warning("nobody can be accepted for now: %s", error.strerror)
            self.starved = True
            time.sleep(0.1)  # else socketserver tries again at once, until there is a file descriptor for the client
            raise
        self.starved = False
        return client, address

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Serve a client to its end."""
        log.info("accepted %s", name(client_address))
        super().finish_request(request, client_address)
        log.info("closed %s", name(client_address))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say in one line why a client was dropped, and nothing of challenge, digest or secret."""
        error = sys.exception()
        if isinstance(error, PermissionError):
            log.warning("%s: refused: %s", name(client_address), error)
            return
        log.warning("%s: dropped: %s", name(client_address), error)


class ThreadingServer(ThreadingMixIn, SingleServer):
    """A thread for each client."""

    request_queue_size = 128
    daemon_threads = True
    block_on_close = False

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.places = threading.BoundedSemaphore(500)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start a client's thread; while all places are taken, accept nobody."""
        self.places.acquire()
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


MODELS: dict[str, type[SingleServer]] = {"threading": ThreadingServer, "single": SingleServer}


def name(address: tuple[Any, ...]) -> str:
    """A peer as it stands in the log."""
    return f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"


def make_server(
    address: tuple[str, int], model: str = "threading", *, timeout: float = 30.0, secret: bytes = b"peekaboo"
) -> SingleServer:
    """A server that listens already. The whole handshake, and any later silence, may take ``timeout`` seconds."""
    if not secret:
        raise ValueError("the secret must not be empty")
    return MODELS[model](address, secret, timeout)


def main() -> None:
    """Serve until Ctrl+C."""
    parser = argparse.ArgumentParser(description="an echo server that asks for proof of a secret")
    parser.add_argument("--model", choices=MODELS, default="threading")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=18000)
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds that a client may stall")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    secret = os.environ.get("NETLAB_SECRET", "peekaboo").encode()
    server = make_server((arguments.host, arguments.port), arguments.model, timeout=arguments.timeout, secret=secret)
    print("listening on", name(server.server_address), flush=True)
    with suppress(KeyboardInterrupt):
        server.serve_forever()
    server.server_close()


if __name__ == "__main__":
    main()
