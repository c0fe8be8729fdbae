"""A raw TCP client: the socket's own operations, and one that takes what comes until the server is quiet."""

import socket
import time
from collections.abc import Callable

from netlab.hardening.connecting import MakeSocket, arguments, as_bytes, at_most, connect

QUIET = 0.3
FIRST = 1.0  # seconds; an answer may take a moment before it begins
LONGEST = 5.0  # seconds; a server that never falls quiet is not waited for
MOST = 1 << 20


class Client:
    """One connection."""

    announced = True

    def __init__(
        self,
        address: tuple[str, int],
        *,
        timeout: float = 5.0,
        log: Callable[[str], None] = print,
        make_socket: MakeSocket = socket.socket,
    ) -> None:
        self.log = log
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

    def receive(self, quiet: float = QUIET, first: float = FIRST) -> bytes | None:
        """Take what comes, first within so many seconds, then until the server is quiet; b'' is the end."""
        got, ended, deadline = bytearray(), False, time.monotonic() + LONGEST
        timeout = self.socket.gettimeout()
        try:
            while not ended and len(got) < MOST and time.monotonic() < deadline:
                self.socket.settimeout(quiet if got else first)
                piece = self.socket.recv(MOST - len(got))
                got += piece
                ended = not piece
        except TimeoutError:
            if not got:
                self.log(f"nothing came in {first:g} s; it may still come")
                return None
        except ConnectionError:
            if not got:
                raise
        finally:
            self.socket.settimeout(timeout)
        return bytes(got)

    def close(self) -> None:
        """Close the connection. Closing twice does nothing."""
        self.socket.close()


if __name__ == "__main__":
    server, _ = arguments(port=20000)
    client = Client(server)
    client.sendall(b"Hello\n")
    print(client.receive())
    client.close()
