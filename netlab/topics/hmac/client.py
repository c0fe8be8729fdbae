"""A client that answers a challenge, then talks to the echo. Standard library only; ``python client.py`` tries it."""

from __future__ import annotations

import argparse
import hmac
import os
import socket
import time
from collections.abc import Callable

CHALLENGE_LENGTH = 32
MOST = 1 << 24


class SecretRefused(ConnectionError):
    """The server closed the connection without a word, which is how this protocol says no."""


class Client:
    """One connection: the handshake as it is made, then the socket's own operations."""

    def __init__(
        self,
        address: tuple[str, int],
        *,
        timeout: float = 5.0,
        log: Callable[[str], None] = print,
        make_socket: Callable[[int, int], socket.socket] = socket.socket,
        secret: bytes = b"peekaboo",
        grace: float = 0.1,
    ) -> None:
        self.socket = make_socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_STREAM)
        self.timeout = timeout
        self._sent = self._accepted = False  # the protocol has no word for yes either: the first echo is the proof
        try:
            self.socket.settimeout(timeout)
            self.socket.connect(address)
            challenge = self._recv_exactly(CHALLENGE_LENGTH)
            log(f"challenge {challenge.hex()}")
            digest = hmac.digest(secret, challenge, "sha256")  # hmac.new() without a digestmod raises TypeError today
            log(f"digest {digest.hex()}")
            self.socket.sendall(digest)
            self._look_for_refusal(grace)
        except BaseException:
            self.socket.close()
            raise

    def send(self, data: bytes) -> int:
        """Send bytes, maybe not all of them; return how many were taken."""
        if not isinstance(data, bytes):
            raise TypeError(f"a socket sends bytes, as b'Hello', not {type(data).__name__}")
        self._sent = True
        return self.socket.send(data)

    def recv(self, bufsize: int = 8192) -> bytes:
        """Wait for bytes, at most bufsize; b'' says that the server has sent its last."""
        if not 0 < bufsize <= MOST:
            raise ValueError(f"bufsize is 1 to {MOST}")
        data = self.socket.recv(bufsize)
        if not data and self._sent and not self._accepted:
            raise SecretRefused("the server closed the connection before any echo: perhaps it refused the digest")
        self._accepted = self._accepted or bool(data)
        return data

    def close(self) -> None:
        """Close the connection. Closing twice does nothing."""
        self.socket.close()

    def _recv_exactly(self, size: int) -> bytes:
        """So many bytes, however they are sliced; the timeout is for all of them."""
        received, deadline = b"", time.monotonic() + self.timeout
        while len(received) < size:
            self.socket.settimeout(max(deadline - time.monotonic(), 0.001))
            chunk = self.socket.recv(size - len(received))
            if not chunk:
                raise ConnectionError(f"the server closed after {len(received)} of {size} bytes of its challenge")
            received += chunk
        self.socket.settimeout(self.timeout)
        return received

    def _look_for_refusal(self, grace: float) -> None:
        """Wait a moment for the server to close: that is all that it says to a wrong digest, and nothing to a right."""
        self.socket.settimeout(grace)
        try:
            refused = not self.socket.recv(1, socket.MSG_PEEK)
        except ConnectionResetError:
            refused = True
        except TimeoutError:
            refused = False
        self.socket.settimeout(self.timeout)
        if refused:
            raise SecretRefused("the server closed the connection: it refused the digest, so its secret is another")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="proves that it knows $NETLAB_SECRET, and says hello")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=18000)
    arguments = parser.parse_args()
    client = Client((arguments.host, arguments.port), secret=os.environ.get("NETLAB_SECRET", "peekaboo").encode())
    print(client.send(b"Hello"))
    print(client.recv(8192))
    client.close()
