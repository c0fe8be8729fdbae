"""A UDP time server that answers one datagram after the other.

UDP has no connections, so it has no clients to keep.
"""

from netlab.hardening.command import main
from netlab.topics.udp.answers import bind, receive, reply


class Server:
    """A socket and a loop."""

    def __init__(self, address: tuple[str, int], *, timeout: float = 30.0) -> None:
        """It waits for no client, so ``timeout`` has no meaning here."""
        self.socket = bind(address)
        self.server_address = self.socket.getsockname()

    def serve_forever(self) -> None:
        """Receive and answer."""
        while True:
            request, address = receive(self.socket)
            reply(self.socket, request, address)

    def server_close(self) -> None:
        """Close the port."""
        self.socket.close()


if __name__ == "__main__":
    main({"single": Server}, port=20000)
