"""The last datagram sent, from elsewhere."""

from __future__ import annotations

from netlab.topics.copy_as import CopiedCall, kept_open, printf, program


def copy_as(called: CopiedCall) -> list[tuple[str, str]]:
    """Send the datagram of the call, and show one that comes back."""
    host, port = called.address
    data = called.payload
    family = "AF_INET6" if ":" in host else "AF_INET"
    return [
        ("Python", program(
            "import socket",
            "",
            f"with socket.socket(socket.{family}, socket.SOCK_DGRAM) as s:",
            "    s.settimeout(5)",
            f"    s.sendto({data!r}, ({host!r}, {port}))",
            "    print(s.recv(65536))",
        )),
        ("nc", f"{kept_open(data)} | nc -u -w 1 {host} {port}"),
        ("socat", f"{printf(data)} | socat -t 1 - UDP:{called.address}"),
    ]  # fmt: skip
