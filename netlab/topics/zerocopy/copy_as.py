"""Frames from elsewhere: five bytes of header, then the payload."""

from __future__ import annotations

import struct

from netlab.topics.copy_as import CopiedCall, kept_open, none, program
from netlab.topics.zerocopy.sizes import parse_size

STORE, FETCH = 1, 3
READ = [
    "    kind, length = struct.unpack('!BI', s.recv(5, socket.MSG_WAITALL))",
    "    buffer = bytearray(length)",
    "    rest = memoryview(buffer)",
    "    while rest:",
    "        got = s.recv_into(rest)",
    "        if not got:",
    "            raise EOFError('the server closed too early')",
    "        rest = rest[got:]",
]


def copy_as(called: CopiedCall) -> list[tuple[str, str]]:
    """Send what the call sent, or ask for as many bytes, and read the answer into one buffer."""
    if called.name == "send_file":
        return [none(tool, "the file is local; send its bytes with send(b'…')") for tool in ("Python", "nc", "socat")]
    host, port = called.address
    stored = called.payload if called.name == "send" else None
    size = _size(called)
    if stored is not None:
        frame = f"struct.pack('!BI', {STORE}, {len(stored)}) + {stored!r}"
        sent, shown = struct.pack("!BI", STORE, len(stored)) + stored, "print('sha256', buffer.hex())"
    else:
        frame = f"struct.pack('!BIQ', {FETCH}, 8, {size})"
        sent, shown = struct.pack("!BIQ", FETCH, 8, size), "print(kind, len(buffer), bytes(buffer[:16]))"
    return [
        ("Python", program(
            "import socket, struct",
            "",
            f"with socket.create_connection(({host!r}, {port}), timeout=30) as s:",
            f"    s.sendall({frame})",
            *READ,
            f"    {shown}",
        )),
        ("nc", f"{kept_open(sent)} | nc -w 2 {host} {port} | head -c 64 | od -A d -t x1"),
        ("socat", f"{kept_open(sent)} | socat -t 2 - TCP:{called.address} | head -c 64 | od -A d -t x1"),
    ]  # fmt: skip


def _size(called: CopiedCall) -> int:
    """What ``receive`` or ``compare`` was asked for; 64 KiB if unknown."""
    try:
        return parse_size(str(called.arguments[0])) if called.name in ("receive", "compare") else 1 << 16
    except (ValueError, IndexError):
        return 1 << 16
