"""Messages from elsewhere: from Python only."""

from __future__ import annotations

from netlab.topics.copy_as import CopiedCall, none, program


def copy_as(called: CopiedCall) -> list[tuple[str, str]]:
    """Send the same message with the standard library's own client."""
    return [
        _python(called),
        none("nc", "both sides first prove that they know the authkey; then they exchange pickles"),
    ]


def _python(called: CopiedCall) -> tuple[str, str]:
    if called.name == "send_raw":
        return none("Python", "its own client puts a length in front of everything that it sends")
    as_bytes = called.name == "send_bytes"
    sent = called.arguments[0] if called.name in ("send", "send_bytes") and called.arguments else "Hello"
    return "Python", program(
        "from multiprocessing.connection import Client",
        "",
        f"authkey = {called.options.get('authkey', b'peekaboo')!r}",
        f"with Client({tuple(called.address)!r}, authkey=authkey) as c:",
        f"    c.{called.name if as_bytes else 'send'}({sent!r})",
        f"    print(c.{'recv_bytes' if as_bytes else 'recv'}())",
    )
