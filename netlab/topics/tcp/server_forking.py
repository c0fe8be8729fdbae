"""A TCP echo server with a process for each client."""

from socketserver import BaseRequestHandler

from netlab.hardening.command import main
from netlab.hardening.forking import BoundedForkingMixIn
from netlab.hardening.server import HardenedServer


class EchoHandler(BaseRequestHandler):
    """Serves one client, in its process."""

    def handle(self) -> None:
        """Send back what comes. What goes wrong here harms no other."""
        while message := self.request.recv(8192):
            self.request.sendall(message)


class Server(BoundedForkingMixIn, HardenedServer):
    """Forks a process for a client, and accepts the next one at once."""

    handler = EchoHandler


if __name__ == "__main__":
    main({"forking": Server}, port=20000)
