"""A TCP echo server that serves one client at a time.

The others wait in the kernel's accept queue.
"""

from socketserver import BaseRequestHandler

from netlab.hardening.command import main
from netlab.hardening.server import HardenedServer


class EchoHandler(BaseRequestHandler):
    """Serves one client."""

    def handle(self) -> None:
        """Send back what comes, until the client ends its side."""
        while message := self.request.recv(8192):
            self.request.sendall(message)  # send() may take only a part


class Server(HardenedServer):
    """Accepts a client, serves it to its end, then accepts the next."""

    handler = EchoHandler
    request_queue_size = 5  # clients that may wait; Linux lets one more in


if __name__ == "__main__":
    main({"single": Server}, port=20000)
