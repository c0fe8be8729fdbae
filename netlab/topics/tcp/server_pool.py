"""A TCP echo server with eight threads for all clients.

A few wait for a thread, the others in the accept queue.
"""

import queue
import threading
from socketserver import BaseRequestHandler, ThreadingMixIn
from typing import Any

from netlab.hardening.command import main
from netlab.hardening.server import HardenedServer

THREADS = 8


class EchoHandler(BaseRequestHandler):
    """Serves one client, in one of the threads."""

    def handle(self) -> None:
        """Send back what comes. Who stays long blocks a thread for others."""
        while message := self.request.recv(8192):
            self.request.sendall(message)


class Server(ThreadingMixIn, HardenedServer):
    """Starts its threads once. Neither they nor the queue can grow."""

    handler = EchoHandler
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], *, timeout: float = 30.0) -> None:
        super().__init__(address, timeout=timeout)
        self.waiting: queue.Queue[tuple[Any, Any]] = queue.Queue(maxsize=THREADS)
        for _ in range(THREADS):
            threading.Thread(target=self.work, daemon=True).start()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Hand a client to the pool. While it is full, accept nobody."""
        self.waiting.put((request, client_address))

    def work(self) -> None:
        """Serve one waiting client after the other."""
        while True:
            self.process_request_thread(*self.waiting.get())


if __name__ == "__main__":
    main({"pool": Server}, port=20000)
