"""A TCP client: the socket's own operations, with limits. Standard library only; ``python client.py`` tries it."""

from __future__ import annotations

import argparse
import socket
from collections.abc import Callable

MOST = 1 << 24


class Client:
    """One connection. Its operations are the socket's own, by their own names."""

    def __init__(
        self,
        address: tuple[str, int],
        *,
        timeout: float = 5.0,
        log: Callable[[str], None] = print,
        make_socket: Callable[[int, int], socket.socket] = socket.socket,
    ) -> None:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.socket = make_socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        try:
            self.socket.connect(address)
        except BaseException:
            self.socket.close()
            raise

    def send(self, data: bytes) -> int:
        """Send bytes, maybe not all of them; return how many were taken."""
        return self.socket.send(as_bytes(data))

    def sendall(self, data: bytes) -> None:
        """Send bytes, all of them."""
        self.socket.sendall(as_bytes(data))

    def recv(self, bufsize: int = 8192) -> bytes:
        """Wait for bytes, at most bufsize; b'' says that the server has sent its last."""
        if not 0 < bufsize <= MOST:
            raise ValueError(f"bufsize is 1 to {MOST}")
        return self.socket.recv(bufsize)

    def close(self) -> None:
        """Close the connection. Closing twice does nothing."""
        self.socket.close()


def as_bytes(data: object) -> bytes:
    """The same bytes; a `TypeError` that helps for anything else."""
    if not isinstance(data, bytes):
        raise TypeError(f"a socket sends bytes, as b'Hello', not {type(data).__name__}")
    return data


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="says hello to a TCP echo server")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=20000)
    arguments = parser.parse_args()
    client = Client((arguments.host, arguments.port))
    print(client.send(b"Hello\n"))
    print(client.recv(8192))
    client.close()
