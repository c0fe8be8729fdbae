"""What a client does with care: it connects within its timeout, and sends and receives what a socket can take."""

from __future__ import annotations

import argparse
import socket
from collections.abc import Callable
from typing import Any

MOST = 1 << 24
MakeSocket = Callable[[int, int], socket.socket]


def connect(address: tuple[str, int], timeout: float, make_socket: MakeSocket = socket.socket) -> socket.socket:
    """A connected TCP socket, or an `OSError` within ``timeout`` seconds; nothing stays open then."""
    connected = make_socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_STREAM)
    try:
        connected.settimeout(timeout)
        connected.connect(address)
    except BaseException:
        connected.close()
        raise
    return connected


def as_bytes(data: object) -> bytes:
    """The same bytes; for anything else a `TypeError` that helps."""
    if not isinstance(data, bytes):
        raise TypeError(f"a socket sends bytes, as b'Hello', not {type(data).__name__}")
    return data


def at_most(bufsize: int, most: int = MOST) -> int:
    """The same size; `ValueError` for one that no buffer can have."""
    if not 0 < bufsize <= most:
        raise ValueError(f"bufsize is 1 to {most}")
    return bufsize


def arguments(port: int, options: argparse.ArgumentParser | None = None) -> tuple[tuple[str, int], dict[str, Any]]:
    """The server's address and the further options of a client's command line."""
    parser = argparse.ArgumentParser(parents=[options] if options else [])
    parser.add_argument("--host", default="127.0.0.1", help="default: %(default)s")
    parser.add_argument("--port", type=int, default=port, help="default: %(default)s")
    chosen = vars(parser.parse_args())
    return (chosen.pop("host"), chosen.pop("port")), chosen
