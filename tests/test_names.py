"""A name stands for all its addresses: tried in order, and listened on together."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from netlab.capture.capture_file import Capture
from netlab.capture.model import Endpoint, Kind
from netlab.topics.discovery import topic_named
from tests.support.hosts import NAME, ORDERS, call, environment, netlab

orders = pytest.mark.parametrize("order", ORDERS)


def family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


@contextlib.contextmanager
def server(host: str) -> Iterator[Endpoint]:
    """An echo server at one address, whose port is free at the other loopback address."""
    with socket.create_server((host, 0), family=family(host)) as listener:
        listener.settimeout(30)

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    accepted = listener.accept()[0]
                    with accepted:
                        while data := accepted.recv(100):
                            accepted.sendall(data)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield Endpoint(*listener.getsockname()[:2])
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(30)


@contextlib.contextmanager
def datagram_server(host: str) -> Iterator[Endpoint]:
    with socket.socket(family(host), socket.SOCK_DGRAM) as sock:
        sock.bind((host, 0))

        def serve() -> None:
            while (received := sock.recvfrom(100))[0] != b"end":
                sock.sendto(received[0], received[1])

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        address = Endpoint(*sock.getsockname()[:2])
        yield address
        with socket.socket(family(host), socket.SOCK_DGRAM) as last:
            last.sendto(b"end", address)
        thread.join(30)


def echoed(address: Endpoint, said: bytes) -> bytes:
    with socket.create_connection(address, 30) as client:
        client.sendall(said)
        return client.recv(100)


@orders
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_wire_tries_all_addresses_of_its_server(tmp_path: Path, order: str, host: str) -> None:
    env, file = environment(tmp_path, *ORDERS[order]), tmp_path / "wire.pcapng"
    with (
        server(host) as address,
        netlab("wire", "--to", f"{NAME}:{address.port}", "--write", str(file), env=env) as wire,
    ):
        assert echoed(wire.listening[0], b"Hello") == b"Hello"
        assert echoed(wire.listening[0], b"again") == b"again"
        wire.end()
    with Capture.of_file(file) as capture:
        capture.grow()
        assert {flow.server.port for flow in capture.flows} == {address.port}
        ends = [":" in flow.server.host for flow in capture.flows]
        assert ends == [host == "::1"] * 2
        for flow in capture.flows:
            own = [segment for segment in capture.segments if segment.flow == flow]
            assert own[0].kind is Kind.OPEN


@orders
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_datagram_wire_does(tmp_path: Path, order: str, host: str) -> None:
    env, file = environment(tmp_path, *ORDERS[order]), tmp_path / "wire.pcapng"
    with (
        datagram_server(host) as address,
        netlab("wire", "--udp", "--to", f"{NAME}:{address.port}", "--write", str(file), env=env) as wire,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        client.settimeout(30)
        client.connect(wire.listening[0])
        for said in (b"time?", b"again?"):
            client.send(said)
            assert client.recv(100) == said
        wire.end()
    with Capture.of_file(file) as capture:
        capture.grow()
        assert {flow.server.port for flow in capture.flows} == {address.port}
        answers = [segment for segment in capture.segments if segment.direction.value == "←"]
        assert [":" in segment.flow.server.host for segment in answers] == [host == "::1"] * 2


@orders
@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_the_wire_listens_on_all_addresses(tmp_path: Path, order: str, transport: str) -> None:
    env = environment(tmp_path, *ORDERS[order])
    udp = ["--udp"] if transport == "udp" else []
    serving = datagram_server if udp else server
    with (
        serving("127.0.0.1") as address,
        netlab("wire", *udp, "--to", str(address), "--listen", f"{NAME}:0", env=env, count=2) as wire,
    ):
        assert tuple(host for host, _ in wire.listening) == ORDERS[order]
        assert len({port for _, port in wire.listening}) == 1
        for number, listening in enumerate(wire.listening):
            said = b"Hello %d" % number
            if udp:
                with socket.socket(family(listening.host), socket.SOCK_DGRAM) as client:
                    client.settimeout(30)
                    client.connect(listening)
                    client.send(said)
                    assert client.recv(100) == said
            else:
                assert echoed(listening, said) == said


def test_a_name_with_an_address_that_this_machine_lacks_is_listened_on_at_the_others(tmp_path: Path) -> None:
    env = environment(tmp_path, "192.0.2.1", "127.0.0.1")
    with netlab("wire", "--to", "127.0.0.1:9", "--listen", f"{NAME}:0", env=env) as wire:
        assert wire.listening[0].host == "127.0.0.1"


def test_a_wire_that_would_lead_to_itself_takes_the_servers_other_address(tmp_path: Path) -> None:
    env = environment(tmp_path, "::1", "127.0.0.1")
    with server("127.0.0.1") as address:
        listen = f"[::1]:{address.port}"
        with netlab("wire", "--to", f"{NAME}:{address.port}", "--listen", listen, env=env) as wire:
            assert echoed(wire.listening[0], b"Hello") == b"Hello"


def test_nobody_at_any_address_is_one_refusal(tmp_path: Path) -> None:
    env = environment(tmp_path, "::1", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with netlab("wire", "--to", f"{NAME}:{port}", env=env) as wire:
        with pytest.raises((ConnectionRefusedError, ConnectionResetError)):
            echoed(wire.listening[0], b"Hello")
        _, err = wire.end()
    assert f"nothing listens at [::1]:{port}: clients are refused" in err


@orders
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize(
    ("topic", "line", "answer"),
    [
        ("tcp", "Hello", "b'Hello'"),
        ("wsgi", "Guido", "Guido"),
        ("xmlrpc", "exists('spam')", "False"),
        ("udp", "ask()", ":"),
    ],
)
def test_call_tries_all_addresses(tmp_path: Path, order: str, host: str, topic: str, line: str, answer: str) -> None:
    env = environment(tmp_path, *ORDERS[order])
    with netlab("serve", topic, "--host", host, "--port", "0", *allowed(topic), env=env) as serving:
        to = f"{NAME}:{serving.listening[0].port}"
        done = call(topic, line, "--to", to, env=env)
    assert done.returncode == 0, done.stderr
    assert answer in done.stdout


def allowed(topic: str) -> tuple[str, ...]:
    """HTTP servers answer to names that they know."""
    return ("--allow-host", NAME) if topic in ("wsgi", "xmlrpc") else ()


def test_call_says_why_no_address_took_it(tmp_path: Path) -> None:
    env = environment(tmp_path, "::1", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    done = call("tcp", "Hello", "--to", f"{NAME}:{port}", env=env)
    assert done.returncode == 1
    assert "refused" in done.stderr


LINES = {
    "tcp": "send(b'Hello\\n')", "udp": "ask()", "wsgi": "Guido", "xmlrpc": "keys()", "multiprocessing": "[1, 2]",
    "hmac": "Hello", "tls": "Hello", "zerocopy": "receive(1000)",
}  # fmt: skip
MODELS = [(name, model) for name in LINES for model in topic_named(name).models[: 9 if name in ("tcp", "udp") else 1]]


@pytest.mark.parametrize(("topic", "model"), MODELS)
def test_a_server_listens_on_all_addresses(tmp_path: Path, topic: str, model: str) -> None:
    env = environment(tmp_path, "::1", "127.0.0.1")
    arguments = ("--model", model, "--host", NAME, "--port", "0", *allowed(topic))
    with netlab("serve", topic, *arguments, env=env, count=2) as serving:
        assert tuple(host for host, _ in serving.listening) == ORDERS["IPv6 first"]
        assert len({port for _, port in serving.listening}) == 1
        for address in serving.listening:
            done = call(topic, LINES[topic], "--to", str(address), env=env)
            assert done.returncode == 0, done.stderr
        serving.end()
