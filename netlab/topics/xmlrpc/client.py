"""Calls functions from afar, by XML-RPC. ``python client.py`` tries it."""

from __future__ import annotations

import re
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any
from xmlrpc.client import Fault, ProtocolError, ResponseError, dumps

from netlab.hardening.command import add_yes_or_no
from netlab.hardening.connecting import arguments
from netlab.hardening.http_client import HTTPClient
from netlab.hardening.xmlrpc import read_result

MAX_NAMES = 1000


class Client(HTTPClient):
    """Calls a server's methods, each call over a connection of its own."""

    def __init__(
        self, address: tuple[str, int], *, allow_none: bool = True, path: str = "/RPC2", **options: Any
    ) -> None:
        super().__init__(address, **options)
        self._allow_none, self._path = allow_none, path

    def call(self, name: str, /, *arguments: object) -> object:
        """Call a method of the server by name; its fault is raised."""
        if not re.fullmatch("[A-Za-z0-9_.:/]+", name):
            raise ValueError(f"{name!r} is not a method name: letters, digits and _ . : / are allowed (XML-RPC)")
        params: tuple[Any, ...] = arguments  # dumps itself says which values it takes
        xml = dumps(params, name, allow_none=self._allow_none).encode()
        answer = self._exchange("POST", self._path, xml, {"Content-Type": "text/xml"})
        if answer.status != 200:  # a fault comes with 200: this is HTTP's own error
            where = f"{self._address[0]}:{self._address[1]}{self._path}"
            raise ProtocolError(where, answer.status, answer.reason, dict(answer.headers))
        return read_result(answer.body)

    def remote_operations(self) -> list[str]:
        """The names of the methods that the server says it has; none if it does not say."""
        names = self._ask("system.listMethods")
        return [name for name in names[:MAX_NAMES] if isinstance(name, str)] if isinstance(names, list) else []

    def remote_help(self, name: str) -> tuple[str, str]:
        """How a method is called, as ``(string, any) -> nil``, and what it does; empty if the server does not say."""
        signatures, text = self._ask("system.methodSignature", name), self._ask("system.methodHelp", name)
        lines = text.strip().splitlines() if isinstance(text, str) else []
        return signature_of(signatures), lines[0] if lines else ""

    def _ask(self, method: str, *arguments: object) -> object:
        """What the server says about itself; None if it says nothing."""
        with suppress(Fault, ProtocolError, ResponseError):
            return self.call(method, *arguments)
        return None


def signature_of(signatures: object) -> str:
    """The types that a method takes and returns, each way to call it; empty for what is not a list of signatures."""
    if not isinstance(signatures, list):  # a server without them says "signatures not supported"
        return ""
    ways = [list(map(str, way)) for way in signatures if isinstance(way, list) and way]
    return " or ".join(f"({', '.join(takes)}) -> {returns}" for returns, *takes in ways)


if __name__ == "__main__":
    parser = ArgumentParser(add_help=False)
    parser.add_argument("--path", default="/RPC2", help="the path that calls are sent to")
    add_yes_or_no(parser, "--allow-none", "whether to send None")
    server, options = arguments(port=15000, options=parser)
    client = Client(server, **options)
    client.call("set", "spam", [1, 2, 3])
    print(client.call("keys"))
    print(client.call("get", "spam"))
