"""A raw UDP client: the socket's own operations, and one that takes all datagrams until the server is quiet."""

import socket
from collections.abc import Callable

from netlab.hardening.connecting import MakeSocket, arguments, as_bytes, at_most

QUIET = 0.3
FIRST = 1.0  # seconds; an answer may take a moment
MOST = 65536  # no datagram has more
MOST_DATAGRAMS = 100


class Client:
    """Sends datagrams to one server, and receives its datagrams alone."""

    announced = True

    def __init__(
        self,
        address: tuple[str, int],
        *,
        timeout: float = 5.0,
        log: Callable[[str], None] = print,
        make_socket: MakeSocket = socket.socket,
    ) -> None:
        self.timeout = timeout
        self.log = log
        self.socket = make_socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.socket.connect(address)  # sends nothing; from now on only this peer's datagrams come in
        except BaseException:
            self.socket.close()
            raise

    def send(self, data: bytes) -> int:
        """Send one datagram; an empty one is one too."""
        return self.socket.send(as_bytes(data))

    def recv(self, bufsize: int = 8192) -> bytes:
        """Wait for one datagram; what it has beyond bufsize is lost."""
        self.socket.settimeout(self.timeout)
        return self.socket.recv(at_most(bufsize, MOST))

    def receive(self, quiet: float = QUIET, first: float = FIRST) -> list[bytes] | None:
        """Take the datagrams that come, the first within so many seconds, then until the server is quiet."""
        got: list[bytes] = []
        try:
            while len(got) < MOST_DATAGRAMS:
                self.socket.settimeout(quiet if got else first)
                got.append(self.socket.recv(MOST))
        except TimeoutError:
            if not got:
                self.log(f"nothing came in {first:g} s; it may still come")
                return None
        return got

    def close(self) -> None:
        """Close the socket. Closing twice does nothing."""
        self.socket.close()


if __name__ == "__main__":
    server, _ = arguments(port=20000)
    client = Client(server)
    client.send(b"Hello")
    print(client.receive())
    client.close()
