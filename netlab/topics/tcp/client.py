"""A TCP client: the socket's own operations, by their own names."""

import socket
from collections.abc import Callable

from netlab.hardening.connecting import MakeSocket, arguments, as_bytes, at_most, connect


class Client:
    """One connection."""

    def __init__(
        self,
        address: tuple[str, int],
        *,
        timeout: float = 5.0,
        log: Callable[[str], None] = print,
        make_socket: MakeSocket = socket.socket,
    ) -> None:
        self.socket = connect(address, timeout, make_socket)

    def send(self, data: bytes) -> int:
        """Send bytes, maybe not all of them; return how many were taken."""
        return self.socket.send(as_bytes(data))

    def sendall(self, data: bytes) -> None:
        """Send bytes, all of them."""
        self.socket.sendall(as_bytes(data))

    def recv(self, bufsize: int = 8192) -> bytes:
        """Wait for bytes, at most bufsize; b'' once the server has ended its side."""
        return self.socket.recv(at_most(bufsize))

    def close(self) -> None:
        """Close the connection. Closing twice does nothing."""
        self.socket.close()


if __name__ == "__main__":
    server, _ = arguments(port=20000)
    client = Client(server)
    print(client.send(b"Hello\n"))
    print(client.recv(8192))
    client.close()
