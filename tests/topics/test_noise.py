"""Bytes that nobody thought of, thrown at each running server: it serves the next client, and nothing is a traceback.

Noise is made of pieces of the topic's own protocol and of anything, so that it gets past the first check; some of it
comes after a handshake that was made well. The servers are processes, as a person starts them, with all that they say.
"""

from __future__ import annotations

import contextlib
import pickle
import socket
import ssl
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from netlab.capture.model import Transport
from netlab.certificates import certs
from netlab.topics.contract import Topic
from netlab.topics.discovery import topics
from tests.support.clients import answer, connected, without_a_traceback
from tests.support.waiting import PATIENCE

Address = tuple[str, int]
Throw = Callable[[Address, Sequence[bytes], str], None]
EXAMPLES = 60

PIECES: dict[str, list[bytes]] = {
    "tcp": [b"Hello\n", b"\n", b"\r\n" * 3, b"x" * 70_000],
    "udp": [b"time 1", b"time ", b"time " + b"9" * 25, b"time 1\n", b"x" * 9000],
    "wsgi": [
        *(b"GET ", b"POST ", b"HEAD ", b"/hello", b"/localtime", b"?name=%zz", b"http://lab/hello", b"*", b"//"),
        *(
            b" HTTP/1.1\r\n",
            b" HTTP/1.0\r\n",
            b" HTTP/9\r\n",
            b"\r\n",
            b"\n",
            b"Host: localhost\r\n",
            b"Expect: 100-continue\r\n",
        ),
        *(
            b"Content-Length: 6\r\n",
            b"Content-Length: -1\r\n",
            b"Transfer-Encoding: chunked\r\n",
            b"name=x",
            b"&",
            b"=%00",
        ),
        *(
            b"Content-Type: multipart/form-data; boundary=b\r\n",
            b"--b\r\n",
            b"Content-Disposition: form-data; name=n\r\n",
        ),
    ],
    "xmlrpc": [
        b"POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 80\r\n\r\n",
        *(b"Content-Encoding: gzip\r\n", b"\x1f\x8b\x08\0\0\0\0\0\0\xff", b"<?xml version='1.0'?>", b"<!DOCTYPE a>"),
        *(b"<methodCall>", b"<methodName>get</methodName>", b"<params>", b"<param><value>", b"<int>1</int>", b"<nil/>"),
        *(b"</value></param>", b"</params>", b"</methodCall>", b"<array><data>", b"&#0;", b"&x;", b"<![CDATA["),
    ],
    "multiprocessing": [
        *(struct.pack("!i", size) for size in (0, 1, 5, 20, 32, 64, -1, -2, 1 << 30)),
        *(struct.pack("!Q", size) for size in (0, 1 << 40)),
        *(b"#CHALLENGE#", b"#WELCOME#", b"#FAILURE#", b"{md5}", b"{sha256}", bytes(20), bytes(32)),
        *(
            struct.pack("!i", len(m)) + m
            for m in (pickle.dumps([1, {2: b"3"}]), b"\x80\x04cposix\nsystem\n.", b"\x80\x05.")
        ),
    ],
    "hmac": [bytes(31), bytes(32), bytes(33), b"\xff" * 32],
    "tls": [
        *(b"\x16\x03\x01", b"\x16\x03\x03\x00\x05", b"\x15\x03\x03\x00\x02\x02\x28", b"\x14\x03\x03\x00\x01\x01"),
        *(
            b"\x17\x03\x03\x40\x00",
            b"\x17\x03\x03\xff\xff",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32),
        ),
        *(b"\x18\x03\x03\x00\x03\x01\x40\x00", b"\x80\x2e\x01\x03\x01", b"GET / HTTP/1.1\r\n\r\n", bytes(600)),
    ],
    "zerocopy": [
        *(struct.pack("!BI", kind, length) for kind in range(6) for length in (0, 5, 8, 0xFFFFFFFF)),
        *(struct.pack("!Q", size) for size in (0, 3, 70_000, 1 << 63)),
    ],
}
"""What known protocols are made of, right and wrong, besides what each topic says of itself."""

ENDINGS = ("close", "half-close", "reset")


def pieces_of(topic: Topic, model: str) -> list[bytes]:
    return [*PIECES.get(topic.name, []), topic.sample.encode(), topic.sample.encode() + b"\n", topic.unfinished(model)]


def noise(topic: Topic, model: str) -> st.SearchStrategy[list[bytes]]:
    return st.lists(st.sampled_from(pieces_of(topic, model)) | st.binary(max_size=80), max_size=12)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certs.ensure(tmp_path_factory.mktemp("certs"))


# Before a handshake, and after one.


def throw(sock: socket.socket, pieces: Sequence[bytes], ending: str) -> None:
    """Send pieces, then leave in one of the ways; half-closed, only when the server has closed as well."""
    send = socket.socket.send  # of a TLS socket the bytes beneath
    with sock, contextlib.suppress(OSError):  # the server has closed on us
        sock.settimeout(PATIENCE)
        for piece in pieces:
            send(sock, piece)
        if ending == "reset":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif ending == "half-close":
            socket.socket.shutdown(sock, socket.SHUT_WR)
            while socket.socket.recv(sock, 65536):
                pass


def plainly(address: Address, pieces: Sequence[bytes], ending: str) -> None:
    throw(socket.create_connection(address, PATIENCE), pieces, ending)


def as_datagrams(address: Address, pieces: Sequence[bytes], ending: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for piece in pieces:
            sock.sendto(piece, address)


def after_a_handshake(name: str) -> Throw:
    def thrown(address: Address, pieces: Sequence[bytes], ending: str) -> None:
        client = connected(topics()[name], address, Path())
        assert client.socket is not None
        throw(client.socket, pieces, ending)

    thrown.__name__ = f"after_a_handshake_of_{name}"
    return thrown


def beneath_tls(address: Address, pieces: Sequence[bytes], ending: str) -> None:
    with_tls = trusting_anybody().wrap_socket(socket.create_connection(address, PATIENCE))
    throw(with_tls, pieces, ending)


def within_tls(address: Address, pieces: Sequence[bytes], ending: str) -> None:
    with trusting_anybody().wrap_socket(socket.create_connection(address, PATIENCE)) as sock:
        whole = b"".join(pieces)
        sock.sendall(whole)
        received = b""
        while len(received) < len(whole):
            received += sock.recv(65536)
        assert received == whole


def trusting_anybody() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


THROWN: dict[str, list[Throw]] = {
    "hmac": [plainly, after_a_handshake("hmac")],
    "multiprocessing": [plainly, after_a_handshake("multiprocessing")],
    "tls": [plainly, beneath_tls, within_tls],
}
"""How noise reaches a server, where it is not just sent."""

SENT = {Transport.TCP: [plainly], Transport.UDP: [as_datagrams]}

CASES = [
    pytest.param(topic, model, throwing, id=f"{topic.name}-{model}-{throwing.__name__}")
    for topic in topics().values()
    for model in topic.models
    for throwing in THROWN.get(topic.name, SENT[topic.transport])
]


@pytest.mark.parametrize(("topic", "model", "throwing"), CASES)
def test_noise_leaves_the_server_serving(topic: Topic, model: str, throwing: Throw, folder: Path) -> None:
    with without_a_traceback(topic, model, folder) as child:
        usually = answer(topic, model, child.address, folder)

        @given(pieces=noise(topic, model), ending=st.sampled_from(ENDINGS))
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,  # what failed once is not what fails in another process
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def thrown(pieces: list[bytes], ending: str) -> None:
            throwing(child.address, pieces, ending)
            assert answer(topic, model, child.address, folder) == usually
            assert child.process.poll() is None

        thrown()
