"""The same call by other programs: an XML-RPC library, or an HTTP client with the XML."""

from __future__ import annotations

import shlex
from typing import Any
from xmlrpc.client import dumps

from netlab.topics.copy_as import CopiedCall, Missing, program

INTROSPECTION = {"remote_operations": "system.listMethods", "remote_help": "system.methodHelp"}


def copy_as(called: CopiedCall) -> list[tuple[str, str]]:
    """The same call."""
    allow_none = called.options.get("allow_none", True)
    url = f"http://{called.address}{called.options.get('path', '/RPC2')}"
    name, arguments = called.name or "system.listMethods", called.arguments if called.name else ()
    name = INTROSPECTION.get(name, name)
    return [
        ("Python", program(
            "from xmlrpc.client import Fault, ServerProxy",
            "",
            f"with ServerProxy({url!r}, allow_none={allow_none}) as server:",
            "    try:",
            f"        print(repr(server.{name}({', '.join(map(repr, arguments))})))",
            "    except Fault as fault:",
            "        print(fault)",
        )),
        ("curl", _curl(url, name, arguments, bool(allow_none))),
    ]  # fmt: skip


def _curl(url: str, name: str, arguments: tuple[Any, ...], allow_none: bool) -> str:
    try:
        xml = dumps(arguments, name, allow_none=allow_none).strip()
    except (TypeError, OverflowError) as error:
        return Missing.equivalent("curl", f"XML-RPC cannot carry this call ({error})")
    return shlex.join(["curl", "--max-time", "10", "-H", "Content-Type: text/xml", "--data-binary", xml, url])
