"""A client of the reverse server."""

import socket
from collections.abc import Callable

from netlab.hardening.connecting import MakeSocket, arguments, connect

LONGEST_LINE = 65536


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

    def reverse(self, text: str) -> str:
        """Send one line and return the line that comes back."""
        if "\n" in text:
            raise ValueError("one line, please: the server answers each line by itself")
        self.socket.sendall(text.encode("utf-8", "surrogateescape") + b"\n")
        line = b""
        while not line.endswith(b"\n"):
            piece = self.socket.recv(8192)
            if not piece:
                raise EOFError(f"the server left after {len(line)} bytes of a line")
            line += piece
            if len(line) > LONGEST_LINE:
                raise ValueError(f"a line of more than {LONGEST_LINE} bytes came back")
        return line[:-1].decode("utf-8", "surrogateescape")

    def close(self) -> None:
        """Close the connection. Closing twice does nothing."""
        self.socket.close()


if __name__ == "__main__":
    server, _ = arguments(port=20101)
    client = Client(server)
    print(client.reverse("Hello"))
    client.close()
