"""A TCP echo server with a thread for each client."""

from socketserver import BaseRequestHandler

from netlab.hardening.command import main
from netlab.hardening.server import BoundedThreadingMixIn, HardenedServer


class EchoHandler(BaseRequestHandler):
    """Serves one client, in its thread."""

    def handle(self) -> None:
        """Send back what comes. While this thread waits, others run."""
        while message := self.request.recv(8192):
            self.request.sendall(message)


class Server(BoundedThreadingMixIn, HardenedServer):
    """Starts a thread for a client, and accepts the next one at once."""

    handler = EchoHandler


if __name__ == "__main__":
    main({"threading": Server}, port=20000)
