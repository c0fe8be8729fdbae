"""What every stream server promises alike: how many clients it takes, and how it names them in the log."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from netlab.capture.model import Transport
from netlab.certificates import certs
from netlab.topics.contract import Topic
from netlab.topics.discovery import topics
from tests.support.authenticated import served
from tests.support.clients import connected, say
from tests.support.waiting import PATIENCE, wait_until

STREAMS = [topic for topic in topics().values() if topic.transport is Transport.TCP]


def threaded(*transports: Transport, without: frozenset[str] = frozenset()) -> pytest.MarkDecorator:
    """Run a test for each topic that has a thread for each client."""
    having = [topic for topic in topics().values() if "threading" in topic.models]
    found = [topic for topic in having if topic.transport in transports and topic.name not in without]
    return pytest.mark.parametrize("topic", found, ids=lambda topic: topic.name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certs.ensure(tmp_path_factory.mktemp("certs"))


def made(topic: Topic, folder: Path, host: str, **options: Any) -> Any:
    options |= {"certificates": folder} if topic.certificates else {}
    return topic.server_class("threading")((host, 0), **options)


@threaded(Transport.TCP, without=frozenset({"wsgi", "xmlrpc"}))  # they log a client before it has a place
def test_with_all_places_taken_nobody_more_is_served(
    topic: Topic, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    server = made(topic, folder, "127.0.0.1", timeout=0.3)
    server.places = threading.BoundedSemaphore(1)
    with served(server) as address, socket.create_connection(address) as one, socket.create_connection(address) as two:
        names = ["{}:{}".format(*peer.getsockname()) for peer in (one, two)]

        def said() -> list[str]:
            lines = [line for line in caplog.messages if any(name in line for name in names)]
            return [verb for line in lines for verb in ("accepted", "dropped", "closed") if verb in line]

        wait_until(lambda: len(said()) == 4, "both silent clients dropped")
        assert said()[::2] == ["accepted"] * 2


@threaded(*Transport)
def test_who_gets_no_thread_takes_no_place(
    topic: Topic,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def no_thread(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    server = made(topic, folder, "127.0.0.1")
    server.places = threading.BoundedSemaphore(1)
    kind = socket.SOCK_DGRAM if topic.transport is Transport.UDP else socket.SOCK_STREAM
    monkeypatch.setattr(threading.Thread, "start", no_thread)
    with contextlib.closing(server.socket), socket.socket(socket.AF_INET, kind) as client:
        client.connect(server.server_address)
        client.send(b"Hello")
        server.handle_request()
        assert server.places.acquire(timeout=0), "its place is free again"
    assert sum("can't start new thread" in line for line in caplog.messages) == 1
    assert "Traceback" not in capfd.readouterr().err


@threaded(Transport.TCP)
def test_who_has_gone_takes_no_place(topic: Topic, folder: Path) -> None:
    server = made(topic, folder, "127.0.0.1", timeout=PATIENCE)
    server.places = threading.Semaphore(1)
    with served(server) as address, contextlib.ExitStack() as stack:
        stack.callback(server.places.release)  # else who waits for a place would keep the server from its end
        for _ in range(2):
            with socket.create_connection(address, 5) as peer, contextlib.suppress(ConnectionError):
                peer.shutdown(socket.SHUT_WR)
                while peer.recv(8192):
                    pass


@pytest.mark.parametrize("topic", STREAMS, ids=lambda topic: topic.name)
def test_a_client_whose_connection_is_not_answered_waits_no_longer_than_its_timeout(topic: Topic, folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server, contextlib.ExitStack() as stack:
        for _ in range(4):  # from the second on they are not answered: the queue is full
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        begun = time.monotonic()
        with pytest.raises(TimeoutError):
            say(topic, topic.models[0], connected(topic, server.getsockname(), folder, timeout=0.2))
        assert time.monotonic() - begun < PATIENCE


@threaded(Transport.TCP)
def test_ipv6_peers_are_named_in_brackets(topic: Topic, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with served(made(topic, folder, "::1", timeout=PATIENCE)) as address, socket.create_connection(address) as peer:
        accepted = f"accepted [::1]:{peer.getsockname()[1]}"
        wait_until(lambda: accepted in caplog.messages, accepted)
