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

from netlab.capture.model import Transport
from netlab.certificates import certs
from netlab.topics.contract import Topic
from netlab.topics.discovery import topics
from netlab.topics.udp.client import Client as UdpClient
from tests.support.clients import connected, say
from tests.support.waiting import PATIENCE
from tests.topics.test_noise import PIECES, pieces_of

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


STREAMS = [topic for topic in topics().values() if topic.transport is Transport.TCP]
OBJECTING = PIECES.keys() - {"tcp"}
"""Topics whose clients refuse some of it; others may take any bytes for an answer."""


@pytest.mark.parametrize("topic", STREAMS, ids=lambda topic: topic.name)
def test_noise_from_a_server_is_an_error_that_says_so(topic: Topic, folder: Path) -> None:
    model = topic.models[0]
    said = pieces_of(topic, model) + ANSWERS.get(topic.name, [])
    heard: set[str] = set()
    with babbling() as server:
        address = server.listener.getsockname()

        @given(st.lists(st.sampled_from(said) | st.binary(max_size=60), max_size=10))
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
                with contextlib.closing(connected(topic, address, folder)) as client:
                    say(topic, model, client)
            except (*RAISED, *RAISED_TOO) as error:
                heard.add(type(error).__name__)

        heard_out()
    assert heard or topic.name not in OBJECTING


# Datagrams: no connection ends with the noise, so the right answer can still come behind it.

WRONG = [b"1", b"1 ", b"1\t", b"01 x", b"-1 x", b"2 x", b"+1 x", b"\xb9 x", b"\xd9\xa1 x", b"0 \x1b[2J", b"9" * 5000]
"""What answers might be, of which some begin as the right one does."""


class DatagramBabbler:
    """A time server that says something before each answer."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.pieces: Sequence[bytes] = ()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # the end of the test
            while True:
                request, peer = self.socket.recvfrom(100)
                for piece in (*self.pieces, request.removeprefix(b"time ") + b" noon"):
                    self.socket.sendto(piece, peer)


def test_among_any_datagrams_the_answer_is_found_and_each_other_one_is_told() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        server = DatagramBabbler(sock)

        @given(st.lists(st.sampled_from(PIECES["udp"] + WRONG) | st.binary(max_size=60), max_size=8))
        @settings(max_examples=200, deadline=None, database=None, phases=[Phase.generate])
        def heard_out(pieces: list[bytes]) -> None:
            server.pieces = pieces
            notes: list[str] = []
            client = UdpClient(sock.getsockname(), timeout=PATIENCE, log=notes.append)
            with contextlib.closing(client):
                answer = client.ask()
            answers = [*pieces, b"1 noon"]
            right = next(place for place, each in enumerate(answers) if each == b"1" or each.startswith(b"1 "))
            assert answer == answers[right][2:].decode("ascii", "replace")
            assert len(notes) == right
            assert all("ignored" in note and note.isprintable() and len(note) < 100 for note in notes)

        heard_out()
