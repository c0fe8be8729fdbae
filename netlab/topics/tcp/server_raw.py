"""A TCP echo server with nothing but a socket.

It binds, listens and accepts by hand, one client at a time.
"""

import logging
import socket
import time

from netlab.hardening.clients import ClientSocket
from netlab.hardening.command import main
from netlab.hardening.events import ACCEPTED, CLOSED, DROPPED, name
from netlab.hardening.patience import Patience
from netlab.hardening.server import family

log = logging.getLogger(__name__)


class Server:
    """What `socketserver` does, written out."""

    def __init__(self, address: tuple[str, int], *, timeout: float = 30.0) -> None:
        # create_server sets SO_REUSEADDR, binds and listens
        self.socket = socket.create_server(address, family=family(address), backlog=128)
        self.server_address = self.socket.getsockname()
        self.patience = Patience(timeout)

    def serve_forever(self) -> None:
        """Accept and serve, one client after the other."""
        starved = False
        while True:
            try:
                accepted, address = self.socket.accept()
            except OSError as error:  # no descriptor is left: the client waits
                if not starved:
                    log.warning("nobody can be accepted for now: %s", error.strerror)
                starved = True
                time.sleep(0.1)
                continue
            starved = False
            log.info(ACCEPTED, name(address))
            with ClientSocket.of(accepted, self.patience) as client:
                try:
                    while message := client.recv(8192):
                        client.sendall(message)
                    log.info(CLOSED, name(address))
                except OSError as error:  # it ends no other client
                    log.warning(DROPPED, name(address), error)

    def server_close(self) -> None:
        """Close the port."""
        self.socket.close()


if __name__ == "__main__":
    main({"raw": Server}, port=20000)
