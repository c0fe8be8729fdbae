"""Calls from elsewhere: any XML-RPC library, or any HTTP client that is given the XML."""

from __future__ import annotations

import shlex
from typing import Any
from xmlrpc.client import dumps

from netlab.topics.outside import Called, program


def outside(called: Called) -> list[tuple[str, str]]:
    """The same call."""
    url = f"http://{called.address}/RPC2"
    name, arguments = called.name or "system.listMethods", called.arguments if called.name else ()
    return [
        ("Python", program(
            "from xmlrpc.client import ServerProxy",
            "",
            f"with ServerProxy({url!r}, allow_none=True) as server:",
            f"    print(server.{name}({', '.join(map(repr, arguments))}))",
        )),
        ("curl", _curl(url, name, arguments)),
    ]  # fmt: skip


def _curl(url: str, name: str, arguments: tuple[Any, ...]) -> str:
    try:
        xml = dumps(arguments, name, allow_none=True).strip()
    except (TypeError, OverflowError) as error:
        return f"# no equivalent with curl: XML-RPC cannot carry this call ({error})"
    return shlex.join(["curl", "--max-time", "10", "-H", "Content-Type: text/xml", "--data-binary", xml, url])
