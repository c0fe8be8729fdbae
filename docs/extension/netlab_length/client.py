"""A client of the length server."""

import socket
from collections.abc import Callable

from netlab.hardening.connecting import MakeSocket, arguments, as_bytes


class Client:
    """A socket for datagrams to one server."""

    def __init__(
        self,
        address: tuple[str, int],
        *,
        timeout: float = 5.0,
        log: Callable[[str], None] = print,
        make_socket: MakeSocket = socket.socket,
    ) -> None:
        self.socket = make_socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.socket.settimeout(timeout)
            self.socket.connect(address)
        except BaseException:
            self.socket.close()
            raise

    def measure(self, data: bytes) -> str:
        """Send one datagram and return the answer."""
        self.socket.send(as_bytes(data))
        return self.socket.recv(8192).decode("ascii", "replace")

    def close(self) -> None:
        """Close the socket. Closing twice does nothing."""
        self.socket.close()


if __name__ == "__main__":
    server, _ = arguments(port=20102)
    client = Client(server)
    print(client.measure(b"Hello"))
    client.close()
