"""The echo from elsewhere: any tool that opens a stream will do."""

from __future__ import annotations

from netlab.topics.copy_as import CopiedCall, kept_open, printf, program


def copy_as(called: CopiedCall) -> list[tuple[str, str]]:
    """Send the bytes of the call, and show what comes back."""
    host, port = called.address
    data = called.payload
    return [
        ("Python", program(
            "import socket",
            "",
            f"with socket.create_connection(({host!r}, {port}), timeout=5) as s:",
            f"    s.sendall({data!r})",
            "    print(s.recv(8192))",
        )),
        ("nc", f"{kept_open(data)} | nc -w 1 {host} {port}"),
        ("socat", f"{printf(data)} | socat -t 1 - TCP:{called.address}"),
    ]  # fmt: skip
