"""A server that answers each datagram with its length. It never answers an answer: two servers would not end."""

import logging
import socket

from netlab.hardening.command import main
from netlab.hardening.events import name
from netlab.hardening.server import family

log = logging.getLogger(__name__)


class Server:
    """A socket and a loop."""

    def __init__(self, address: tuple[str, int], *, timeout: float = 30.0) -> None:
        """It waits for no client, so it drops none after ``timeout``."""
        self.socket = socket.socket(family(address), socket.SOCK_DGRAM)
        try:
            self.socket.bind(address)
        except BaseException:
            self.socket.close()
            raise
        self.server_address = self.socket.getsockname()

    def serve_forever(self) -> None:
        """Receive and answer."""
        while True:
            datagram, address = self.socket.recvfrom(65536)
            log.info("%d bytes from %s", len(datagram), name(address))
            if not datagram.endswith(b" bytes"):
                self.socket.sendto(b"%d bytes" % len(datagram), address)

    def server_close(self) -> None:
        """Close the port."""
        self.socket.close()


MODELS = {"single": Server}

if __name__ == "__main__":
    main(MODELS, port=20102)
