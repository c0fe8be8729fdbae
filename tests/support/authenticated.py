"""What the multiprocessing and hmac tests share: a served server, its log, sliced sockets, raw clients."""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import struct
import threading
from collections.abc import Callable, Iterator

import pytest

from netlab.topics.contract import Server
from tests.support.waiting import PATIENCE, wait_until


@contextlib.contextmanager
def served(server: Server) -> Iterator[tuple[str, int]]:
    """Serve in a thread; the address. Clients have to be gone by the end, where the model is single."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.server_address[:2]
    finally:
        server.shutdown()  # type: ignore[attr-defined]  # socketserver's, not part of the contract
        server.server_close()
        thread.join(PATIENCE)


def outlast(make_server: Callable[..., Server], seconds: float) -> None:
    """Wait until another server has dropped a silent client: what was silent before has been so for longer."""
    with served(make_server(("127.0.0.1", 0), timeout=seconds)) as address, connected(address) as silent:
        while silent.recv(100):
            pass


def wait_for_line(caplog: pytest.LogCaptureFixture, text: str) -> None:
    """Wait for a line of the server's log that contains the text."""
    wait_until(lambda: text in "\n".join(caplog.messages), f"{text!r} in {caplog.messages}")


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


class SlicedSocket(socket.socket):
    """Sends every byte in a segment of its own."""

    def send(self, data: bytes, flags: int = 0, /) -> int:  # type: ignore[override]
        self.sendall(data)
        return len(data)

    def sendall(self, data: bytes, flags: int = 0, /) -> None:  # type: ignore[override]
        self.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(len(data)):
            super().sendall(data[at : at + 1])


def connected(address: tuple[str, int]) -> socket.socket:
    return socket.create_connection(address, timeout=PATIENCE)


def recv_exactly(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        chunk = sock.recv(size - len(data))
        if not chunk:
            raise EOFError(f"{len(data)} of {size} bytes")
        data += chunk
    return data


def read_frame(sock: socket.socket) -> bytes:
    """One message as multiprocessing frames it."""
    return recv_exactly(sock, struct.unpack("!i", recv_exactly(sock, 4))[0])


def ended(sock: socket.socket) -> bool:
    """Whether the peer, which sends nothing now, has ended the connection."""
    return bool(select.select([sock], [], [], 0)[0])


def was_closed(sock: socket.socket) -> bool:
    """Wait for the peer to close; False if it sends something or stays."""
    try:
        return sock.recv(1) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
