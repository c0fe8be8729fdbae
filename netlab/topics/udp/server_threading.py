"""A UDP time server with a thread for each datagram."""

import logging
import sys
from socketserver import BaseRequestHandler, UDPServer
from typing import Any

from netlab.hardening.command import main
from netlab.hardening.events import name
from netlab.hardening.server import BoundedThreadingMixIn, family
from netlab.topics.udp.answers import LONGEST_REQUEST, Request, reply

log = logging.getLogger(__name__)


class TimeHandler(BaseRequestHandler):
    """Answers one datagram, in its thread."""

    def handle(self) -> None:
        """Answer from the server's socket, so from the port that was asked."""
        message, listener = self.request
        reply(listener, Request(message), self.client_address)


class Server(BoundedThreadingMixIn, UDPServer):
    """Starts a thread for a datagram, and receives the next one at once.

    While all threads are taken, the kernel drops what its buffer cannot hold.
    """

    max_packet_size = LONGEST_REQUEST + 1  # one byte more shows that there was more

    def __init__(self, address: tuple[str, int], *, timeout: float = 30.0) -> None:
        """It waits for no client, so ``timeout`` has no meaning here."""
        self.address_family = family(address)
        super().__init__(address, TimeHandler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log in one line why a datagram gets no answer."""
        log.warning("%s: not answered: %s", name(client_address), sys.exception())


if __name__ == "__main__":
    main({"threading": Server}, port=20000)
