"""Calls functions from afar, by XML-RPC. Standard library only; ``python client.py`` tries it."""

from __future__ import annotations

import argparse
import http.client
import re
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING, Any
from xml.parsers import expat
from xmlrpc.client import Fault, ProtocolError, ResponseError, Unmarshaller, dumps

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_BODY = 8 << 20  # bytes
MAX_DEPTH = 500  # tags within tags
MAX_NAMES = 1000


class Client:
    """Calls a server's methods, each call over a connection of its own. ``socket`` is the one in use, or None."""

    def __init__(
        self,
        address: tuple[str, int],
        *,
        timeout: float = 5.0,
        log: Callable[[str], None] = print,
        make_socket: Callable[[int, int], socket.socket] = socket.socket,
        allow_none: bool = True,
        path: str = "/RPC2",
    ) -> None:
        self._address, self.timeout, self._make_socket = address, timeout, make_socket
        self._allow_none, self._path = allow_none, path
        self.socket: socket.socket | None = None

    def call(self, name: str, /, *arguments: object) -> object:
        """Call a method of the server by name; its fault is raised."""
        if not re.fullmatch("[A-Za-z0-9_.:/]+", name):
            raise ValueError(f"{name!r} is no method name: letters, digits and _ . : / are allowed (XML-RPC)")
        params: tuple[Any, ...] = arguments  # dumps itself says which values it takes
        return read_result(self._post(dumps(params, name, allow_none=self._allow_none).encode()))

    def remote_operations(self) -> list[str]:
        """The names of the methods that the server says it has; none if it does not tell."""
        names = self._asked("system.listMethods")
        return [name for name in names[:MAX_NAMES] if isinstance(name, str)] if isinstance(names, list) else []

    def remote_help(self, name: str) -> tuple[str, str]:
        """How a method is called, as ``(string, any) -> nil``, and what it does; empty if the server does not say."""
        signatures, text = self._asked("system.methodSignature", name), self._asked("system.methodHelp", name)
        lines = text.strip().splitlines() if isinstance(text, str) else []
        return signature_of(signatures), lines[0] if lines else ""

    def _asked(self, method: str, *arguments: object) -> object:
        """What the server says of itself; None if it says nothing."""
        with suppress(Fault, ProtocolError, ResponseError):
            return self.call(method, *arguments)
        return None

    def close(self) -> None:
        """Close the connection, if there is one. Closing twice does nothing."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def _post(self, xml: bytes) -> bytes:
        deadline = time.monotonic() + self.timeout
        family = socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET
        self.socket = self._make_socket(family, socket.SOCK_STREAM)
        try:
            self.socket.settimeout(self.timeout)
            self.socket.connect(self._address)
            connection = http.client.HTTPConnection(*self._address)
            connection.sock = TimedSocket(self.socket, deadline)  # http.client would make a socket of its own
            connection.request("POST", self._path, xml, {"Content-Type": "text/xml"})
            return self._read_response(connection)
        finally:
            self.close()

    def _read_response(self, connection: http.client.HTTPConnection) -> bytes:
        """The body of the response, of bounded size; `ProtocolError` if HTTP tells of an error."""
        answer = connection.getresponse()
        if answer.status != 200:
            where = f"{self._address[0]}:{self._address[1]}{self._path}"
            raise ProtocolError(where, answer.status, answer.reason, dict(answer.getheaders()))
        body = answer.read(MAX_BODY + 1)
        if len(body) > MAX_BODY:
            raise ValueError(f"the body is larger than {MAX_BODY} bytes")
        if answer.length:
            raise http.client.IncompleteRead(body, answer.length)
        return body


def signature_of(signatures: object) -> str:
    """The types that a method takes and returns, each way to call it; empty for what is no list of signatures."""
    if not isinstance(signatures, list):  # a server without them says "signatures not supported"
        return ""
    ways = [list(map(str, way)) for way in signatures if isinstance(way, list) and way]
    return " or ".join(f"({', '.join(takes)}) -> {returns}" for returns, *takes in ways)


class ResultReader(Unmarshaller):
    """Makes values of tags, but not of tags that are nested without end."""

    depth = 0

    def start(self, tag: str, attrs: dict[str, str]) -> None:
        """A tag opened."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ResponseError(f"the XML is nested more than {MAX_DEPTH} tags deep")
        super().start(tag, attrs)

    def end(self, tag: str) -> None:
        """A tag closed."""
        self.depth -= 1
        super().end(tag)


def read_result(xml: bytes) -> object:
    """The result in a ``methodResponse``; `Fault` if it holds one, `ResponseError` if it is none."""
    reader, parser = ResultReader(use_builtin_types=True), expat.ParserCreate()
    reader.xml("", None)  # strings come decoded
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = refuse_dtd
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler = reader.data
    try:
        parser.Parse(xml, True)
        (result,) = reader.close()
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, expat.ExpatError) as error:
        raise ResponseError(f"the answer is no XML-RPC response: {error}") from None
    return result


def refuse_dtd(*declared: object) -> None:
    """No XML-RPC response needs a DTD, and an entity can grow without end or name a file."""
    raise ResponseError("XML with a DTD is refused")


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
    parser = argparse.ArgumentParser(description="stores a value by XML-RPC, and gets it back")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=15000)
    parser.add_argument("--path", default="/RPC2", help="where calls are sent to")
    parser.add_argument("--allow-none", choices=("yes", "no"), default="yes", help="whether None may be sent")
    arguments = parser.parse_args()
    allow_none = arguments.allow_none == "yes"
    client = Client((arguments.host, arguments.port), path=arguments.path, allow_none=allow_none)
    client.call("set", "spam", [1, 2, 3])
    print(client.call("keys"))
    print(client.call("get", "spam"))
