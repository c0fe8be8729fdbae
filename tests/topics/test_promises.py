"""What every stream server promises alike: how many clients it takes, and how it names them in the log."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from netlab.certificates import certs
from netlab.topics.hmac import server as hmac
from netlab.topics.multiprocessing import server as multiprocessing
from netlab.topics.tcp import server as tcp
from netlab.topics.tls import server as tls
from netlab.topics.udp import server as udp
from netlab.topics.wsgi import server as wsgi
from netlab.topics.xmlrpc import server as xmlrpc
from netlab.topics.zerocopy import server as zerocopy
from tests.support.authenticated import served
from tests.support.waiting import PATIENCE, wait_until

IN_THE_HANDLER = [hmac, multiprocessing, tls, zerocopy]
"""Those that say ``accepted`` in the client's own thread, so once it has a place."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certs.ensure(tmp_path_factory.mktemp("certs"))


def made(module: Any, folder: Path, host: str, **options: Any) -> Any:
    options |= {"certificates": folder} if module is tls else {}
    make = (
        partial(module.make_server, model="threading") if hasattr(module, "make_server") else module.MODELS["threading"]
    )
    return make((host, 0), **options)


@pytest.mark.parametrize("module", IN_THE_HANDLER)
def test_with_all_places_taken_nobody_more_is_served(
    module: Any, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    server = made(module, folder, "127.0.0.1", timeout=0.3)
    server.places = threading.BoundedSemaphore(1)
    with served(server) as address, socket.create_connection(address) as one, socket.create_connection(address) as two:
        names = ["{}:{}".format(*peer.getsockname()) for peer in (one, two)]

        def said() -> list[str]:
            lines = [line for line in caplog.messages if any(name in line for name in names)]
            return [verb for line in lines for verb in ("accepted", "dropped") if verb in line]

        wait_until(lambda: said().count("dropped") == 2, "both silent clients dropped")
        assert said() == ["accepted", "dropped"] * 2


@pytest.mark.parametrize("module", [*IN_THE_HANDLER, tcp, wsgi, xmlrpc, udp])
def test_who_gets_no_thread_takes_no_place(
    module: Any,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def no_thread(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    server = made(module, folder, "127.0.0.1")
    server.places = threading.BoundedSemaphore(1)
    kind = socket.SOCK_DGRAM if module is udp else socket.SOCK_STREAM
    monkeypatch.setattr(threading.Thread, "start", no_thread)
    with contextlib.closing(server.socket), socket.socket(socket.AF_INET, kind) as client:
        client.connect(server.server_address)
        client.send(b"Hello")
        server.handle_request()
        assert server.places.acquire(timeout=0), "its place is free again"
    assert sum("can't start new thread" in line for line in caplog.messages) == 1
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("module", [*IN_THE_HANDLER, tcp, wsgi, xmlrpc])
def test_who_has_gone_takes_no_place(module: Any, folder: Path) -> None:
    server = made(module, folder, "127.0.0.1", timeout=PATIENCE)
    server.places = threading.Semaphore(1)
    with served(server) as address, contextlib.ExitStack() as stack:
        stack.callback(server.places.release)  # else who waits for a place would keep the server from its end
        for _ in range(2):
            with socket.create_connection(address, 5) as peer, contextlib.suppress(ConnectionError):
                peer.shutdown(socket.SHUT_WR)
                while peer.recv(8192):
                    pass


@pytest.mark.parametrize("name", ["tcp", "wsgi", "xmlrpc", "multiprocessing", "hmac", "tls", "zerocopy"])
def test_a_client_whose_connection_is_not_answered_waits_no_longer_than_its_timeout(name: str, folder: Path) -> None:
    client = import_module(f"netlab.topics.{name}.client").Client
    options = {"certificates": folder} if name == "tls" else {}
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server, contextlib.ExitStack() as stack:
        for _ in range(4):  # from the second on they are not answered: the queue is full
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        begun = time.monotonic()
        with pytest.raises(TimeoutError):
            made = client(server.getsockname(), timeout=0.2, **options)
            made.get("/") if name == "wsgi" else made.call("keys")
        assert time.monotonic() - begun < PATIENCE


@pytest.mark.parametrize("module", [*IN_THE_HANDLER, tcp, wsgi, xmlrpc])
def test_ipv6_peers_are_named_in_brackets(module: Any, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with served(made(module, folder, "::1", timeout=PATIENCE)) as address, socket.create_connection(address) as peer:
        accepted = f"accepted [::1]:{peer.getsockname()[1]}"
        wait_until(lambda: accepted in caplog.messages, accepted)
