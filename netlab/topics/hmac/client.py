"""A client that answers the server's challenge, then talks to the echo."""

import hmac
import os
import socket
import time
from collections.abc import Callable

from netlab.hardening.connecting import MakeSocket, arguments, as_bytes, at_most, connect

CHALLENGE_LENGTH = 32


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
        make_socket: MakeSocket = socket.socket,
        secret: bytes = b"peekaboo",
        grace: float = 0.1,
    ) -> None:
        self.timeout = timeout
        self._sent = self._accepted = False  # the protocol has no word for yes either: the first echo is the proof
        self.socket = connect(address, timeout, make_socket)
        try:
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
        self._sent = True
        return self.socket.send(as_bytes(data))

    def recv(self, bufsize: int = 8192) -> bytes:
        """Wait for bytes, at most bufsize; b'' once the server has ended its side."""
        data = self.socket.recv(at_most(bufsize))
        if not data and self._sent and not self._accepted:
            raise SecretRefused("the server closed the connection before any echo: perhaps it rejected the digest")
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
        """Wait a moment for the server to close. It does that after a wrong digest; after a right one it is silent."""
        self.socket.settimeout(grace)
        try:
            refused = not self.socket.recv(1, socket.MSG_PEEK)
        except ConnectionResetError:
            refused = True
        except TimeoutError:
            refused = False
        self.socket.settimeout(self.timeout)
        if refused:
            raise SecretRefused("the server closed the connection: it rejected the digest, so the secrets differ")


if __name__ == "__main__":
    server, _ = arguments(port=18000)
    client = Client(server, secret=os.environ.get("NETLAB_SECRET", "peekaboo").encode())
    print(client.send(b"Hello"))
    print(client.recv(8192))
    client.close()
