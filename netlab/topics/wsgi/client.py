"""A web client: http.client, with limits. Standard library only; ``python client.py`` tries it."""

from __future__ import annotations

import argparse
import http.client
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_BODY = 8 << 20  # bytes
SHOWN = 3000  # characters of a body
RESERVED = "%/:?#[]@!$&'()*+,;=~"  # what may stand in a URL as it is (RFC 3986)


@dataclass(frozen=True, slots=True)
class Response:
    """What the server answered. It reads as it came: status, headers, body."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text, by the charset that the headers name."""
        content_type = {key.lower(): value for key, value in self.headers}.get("content-type", "")
        charset = content_type.lower().partition("charset=")[2].partition(";")[0].strip(' "') or "utf-8"
        try:
            return self.body.decode(charset, "replace")
        except (LookupError, ValueError):  # no such charset
            return self.body.decode("latin-1")

    def __repr__(self) -> str:
        head = [f"{self.status} {self.reason}", *(f"{key}: {value}" for key, value in self.headers)]
        text = self.text.replace("\r\n", "\n")
        more = f"\n… {len(text) - SHOWN} more characters" if len(text) > SHOWN else ""
        return "\n".join(printable(line) for line in [*head, "", *text[:SHOWN].rstrip().split("\n")]).rstrip() + more


def printable(line: str) -> str:
    """A line of the server that cannot steer a terminal."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)


class Client:
    """Makes requests, each over a connection of its own. ``socket`` is the one in use, or None."""

    def __init__(
        self,
        address: tuple[str, int],
        *,
        timeout: float = 5.0,
        log: Callable[[str], None] = print,
        make_socket: Callable[[int, int], socket.socket] = socket.socket,
    ) -> None:
        self._address, self.timeout, self._make_socket = address, timeout, make_socket
        self.socket: socket.socket | None = None

    def get(self, path: str = "/", /, **params: object) -> Response:
        """Ask for a path, with parameters in its query: get('/hello', name='Guido')."""
        query = urlencode(params, doseq=True)
        return self.request("GET", f"{path}{'&' if '?' in path else '?'}{query}" if query else path)

    def post(self, path: str = "/", /, **form: object) -> Response:
        """Send a form, urlencoded: post('/hello', name='Guido')."""
        body = urlencode(form, doseq=True).encode()
        return self.request("POST", path, body, Content_Type="application/x-www-form-urlencoded")

    def request(self, method: str, path: str, body: bytes | str = b"", /, **headers: object) -> Response:
        """Send any request: request('PUT', '/x', b'…', Content_Type='text/plain'). An underscore stands for -."""
        fields = {key.replace("_", "-"): str(value) for key, value in headers.items()}
        content = body.encode() if isinstance(body, str) else body
        deadline = time.monotonic() + self.timeout
        family = socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET
        self.socket = self._make_socket(family, socket.SOCK_STREAM)
        try:
            self.socket.settimeout(self.timeout)
            self.socket.connect(self._address)
            connection = http.client.HTTPConnection(*self._address)
            connection.sock = TimedSocket(self.socket, deadline)  # http.client would make a socket of its own
            connection.request(method, quote(path, safe=RESERVED), content or None, fields)
            return read_response(connection)
        finally:
            self.close()

    def close(self) -> None:
        """Close the connection, if there is one. Closing twice does nothing."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None


def read_response(connection: http.client.HTTPConnection) -> Response:
    """The whole response, of bounded size."""
    answer = connection.getresponse()
    body = answer.read(MAX_BODY + 1)
    if len(body) > MAX_BODY:
        raise ValueError(f"the body is larger than {MAX_BODY} bytes")
    if answer.length:
        raise http.client.IncompleteRead(body, answer.length)
    return Response(answer.status, answer.reason, tuple(answer.getheaders()), body)


class TimedSocket(RawIOBase):
    """What http.client needs of a socket, with one deadline for all of it."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self.connection, self.deadline = connection, deadline
        self.request = b""

    def sendall(self, data: bytes) -> None:
        """Take a part of the request: the head, then the body."""
        self.request += data

    def makefile(self, mode: str) -> BufferedReader:
        """Send the request in one go, all of it; the socket as a file to read."""
        self.connection.settimeout(max(self.deadline - time.monotonic(), 0.001))
        with suppress(BrokenPipeError, ConnectionResetError):  # refused before it was all sent: read why
            self.connection.sendall(self.request)
        return BufferedReader(TimedSocket(self.connection, self.deadline))

    def readable(self) -> bool:
        """Whether it can be read: always."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer with what arrives next; `TimeoutError` after the deadline."""
        left = self.deadline - time.monotonic()
        if left <= 0:  # also for a server that sends so fast that no recv ever waits
            raise TimeoutError("timed out")
        self.connection.settimeout(left)
        return self.connection.recv_into(buffer)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="makes three requests of the web server")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    arguments = parser.parse_args()
    client = Client((arguments.host, arguments.port))
    print(client.get("/hello", name="Guido"))
    print(client.post("/hello", name="Guido"))
    print(client.get("/localtime"))
