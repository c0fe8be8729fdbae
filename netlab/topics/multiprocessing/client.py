"""A client for servers of multiprocessing.connection: it loads plain data, and nothing that runs code.

`multiprocessing.connection.Client` loads whatever the server sends, and waits for it without a limit.
"""

from __future__ import annotations

import os
import pickle
import socket
from collections.abc import Callable
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, answer_challenge, deliver_challenge
from typing import cast

from netlab.hardening.connecting import MakeSocket, arguments, connect
from netlab.hardening.plain_pickle import load
from netlab.topics.multiprocessing.framing import ClientEnd

CHALLENGE = b"#CHALLENGE#"


class NoChallenge(AuthenticationError):
    """The server did not begin with a challenge."""

    def __str__(self) -> str:
        return "the server sent no challenge: it uses no authkey, or speaks another protocol"


class Client(ClientEnd):
    """One connection to a server with the same authkey. Its operations are those of a Connection."""

    def __init__(
        self,
        address: tuple[str, int],
        *,
        timeout: float = 5.0,
        log: Callable[[str], None] = print,
        make_socket: MakeSocket = socket.socket,
        authkey: bytes = b"peekaboo",
        max_message: int = 1 << 24,
    ) -> None:
        super().__init__(connect(address, timeout, make_socket), timeout, max_message)
        try:
            # a message follows the handshake's last one: without this it waits until that is acknowledged, 40 ms
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
            self._authenticate(authkey)
        except BaseException:
            self.socket.close()
            raise
        log("both sides proved that they know the authkey")

    def send(self, obj: object) -> None:
        """Send an object, pickled."""
        self.send_bytes(pickle.dumps(obj))

    def recv(self) -> object:
        """Wait for an object and load it if it is plain data; EOFError once the server has closed."""
        return load(self.recv_bytes())

    def close(self) -> None:
        """Close the connection. Closing twice does nothing."""
        self.socket.close()

    def _authenticate(self, authkey: bytes) -> None:
        """Prove to the server that the key is known; then let the server prove it."""
        connection = cast("Connection", self)  # it has what the two halves of the handshake call
        try:
            self._await_challenge()
            answer_challenge(connection, authkey)
            deliver_challenge(connection, authkey)
        except NoChallenge:
            raise
        except AssertionError:  # Python 3.11 asserts that the first message is a challenge
            raise NoChallenge from None
        except AuthenticationError as error:
            raise AuthenticationError(f"{error}: the server has another authkey") from None
        except EOFError:
            raise EOFError("the server closed the connection during the handshake") from None

    def _await_challenge(self) -> None:
        """Wait for the beginning of the server's challenge, and leave it to be read."""
        try:
            self._fill(4 + len(CHALLENGE))
        except TimeoutError:
            if not self._received:
                raise TimeoutError(f"no challenge within {self.timeout:g} s: the server may use no authkey") from None
        if not CHALLENGE.startswith(self._received[4 : 4 + len(CHALLENGE)]):
            raise NoChallenge


if __name__ == "__main__":
    server, _ = arguments(port=25000)
    client = Client(server, authkey=os.environ.get("NETLAB_AUTHKEY", "peekaboo").encode())
    client.send({"a": (1, 2)})
    print(client.recv())
    client.close()
