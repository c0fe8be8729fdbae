"""Bytes that nobody thought of, from a server to each client: the client raises what its protocol has for that."""

from __future__ import annotations

import contextlib
import multiprocessing
import socket
import threading
from collections.abc import Iterator, Sequence
from http.client import HTTPException
from pathlib import Path
from pickle import UnpicklingError, dumps
from xmlrpc.client import Error as XmlrpcError

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from netlab import certs
from tests.topics.good_clients import served
from tests.topics.test_noise import PIECES

RAISED = (OSError, EOFError, ValueError, TypeError, HTTPException, XmlrpcError, UnpicklingError)
RAISED_TOO = (multiprocessing.AuthenticationError,)

ANSWERS: dict[str, list[bytes]] = {
    "wsgi": [
        *(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 99999 \r\n", b"Content-Length: 5\r\n", b"Content-Length: -5\r\n", b"\r\n"),
        *(
            b"Transfer-Encoding: chunked\r\n",
            b"ffffffffffff\r\n",
            b"5\r\nHello\r\n",
            b"0\r\n\r\n",
            b"Hello",
            b"X: \x1b[2J\r\n",
        ),
        *(
            b"Content-Type: text/html; charset=rot13\r\n",
            b"Content-Type: text/html; charset=idna\r\n",
            b"HTTP/1.1 100 \r\n\r\n",
        ),
    ],
    "multiprocessing": [dumps([1]), dumps(len), b"\x80\x04\x8c\x05posix\x8c\x06system\x93."],
}
"""What a server of the topic might say, besides the pieces that a client sends it."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certs.ensure(tmp_path_factory.mktemp("certs"))


class Babbler:
    """A server that says something to each client, and closes once the client has sent anything or closed."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.pieces: Sequence[bytes] = ()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # the end of the test
            while True:
                client, _ = self.listener.accept()
                with client, contextlib.suppress(OSError):
                    client.settimeout(0.02)
                    client.sendall(b"".join(self.pieces))
                    client.shutdown(socket.SHUT_WR)
                    while client.recv(65536):
                        pass


@contextlib.contextmanager
def babbling() -> Iterator[Babbler]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield Babbler(listener)


@pytest.mark.parametrize("topic", [topic for topic in PIECES if topic != "udp"])
def test_noise_from_a_server_is_an_error_that_says_so(topic: str, folder: Path) -> None:
    heard: set[str] = set()
    with babbling() as server:
        address = server.listener.getsockname()

        @given(st.lists(st.sampled_from(PIECES[topic] + ANSWERS.get(topic, [])) | st.binary(max_size=60), max_size=10))
        @settings(
            max_examples=60,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def heard_out(pieces: list[bytes]) -> None:
            server.pieces = pieces
            try:
                served(topic, address, folder)
            except (*RAISED, *RAISED_TOO) as error:
                heard.add(type(error).__name__)

        heard_out()
    assert heard or topic == "tcp"
