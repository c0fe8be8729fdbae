"""Servers that do what a test says, in a thread."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from netlab.capture.model import Endpoint
from netlab.names import endpoint_of

PATIENCE = 20.0
"""Seconds after which a test gives up."""


@contextmanager
def serving(serve: Callable[[socket.socket], None]) -> Iterator[Endpoint]:
    """Each connection is served in a thread of its own; it is closed at the end."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        threading.Thread(target=_accept, args=(listener, serve), daemon=True).start()
        yield endpoint_of(listener)
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, serve: Callable[[socket.socket], None]) -> None:
    while True:
        try:
            client = listener.accept()[0]
        except OSError:
            return
        threading.Thread(target=_serve, args=(client, serve), daemon=True).start()


def _serve(client: socket.socket, serve: Callable[[socket.socket], None]) -> None:
    with client:
        client.settimeout(PATIENCE)
        try:
            serve(client)
        except OSError:
            return


def echo(client: socket.socket) -> None:
    """Send back what comes."""
    while data := client.recv(65536):
        client.sendall(data)
