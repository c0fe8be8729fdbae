"""Frames from elsewhere: five bytes of header, and the payload."""

from __future__ import annotations

import struct

from netlab.topics.outside import Called, printf, program
from netlab.topics.zerocopy.sizes import parse_size

FETCH = 3


def outside(called: Called) -> list[tuple[str, str]]:
    """Ask for as many bytes as the call did, and read them into one buffer."""
    host, port = called.address
    size = _size(called)
    asked = struct.pack("!BIQ", FETCH, 8, size)
    return [
        ("Python", program(
            "import socket, struct",
            "",
            f"with socket.create_connection(({host!r}, {port}), timeout=30) as s:",
            f"    s.sendall(struct.pack('!BIQ', {FETCH}, 8, {size}))",
            "    kind, length = struct.unpack('!BI', s.recv(5, socket.MSG_WAITALL))",
            "    buffer = bytearray(length)",
            "    rest = memoryview(buffer)",
            "    while rest:",
            "        got = s.recv_into(rest)",
            "        if not got:",
            "            raise EOFError('the server closed before it had sent all')",
            "        rest = rest[got:]",
            "    print(kind, len(buffer), bytes(buffer[:16]))",
        )),
        ("nc", f"{printf(asked)} | nc -w 2 {host} {port} | head -c 64 | od -A d -t x1"),
        ("socat", f"{printf(asked)} | socat -t 2 - TCP:{called.address} | head -c 64 | od -A d -t x1"),
    ]  # fmt: skip


def _size(called: Called) -> int:
    """What ``receive`` was asked for; 64 KiB where it is not known."""
    try:
        return parse_size(str(called.arguments[0])) if called.name == "receive" else 1 << 16
    except (ValueError, IndexError):
        return 1 << 16
