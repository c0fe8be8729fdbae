"""A TCP echo server with a process for each client."""

from socketserver import BaseRequestHandler

from netlab.hardening.command import main
from netlab.hardening.forking import BoundedForkingMixIn
from netlab.hardening.server import HardenedServer


class EchoHandler(BaseRequestHandler):
    """Serves one client, in its process."""

    def handle(self) -> None:
        """Send back what comes; nothing that goes wrong here reaches the other clients."""
        while message := self.request.recv(8192):
            self.request.sendall(message)


class Server(BoundedForkingMixIn, HardenedServer):
    """Accepts a client, forks a process for it, and accepts the next one at once."""

    handler = EchoHandler


if __name__ == "__main__":
    main({"forking": Server}, port=20000)
