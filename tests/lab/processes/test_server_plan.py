"""What a lab's server is: elsewhere, or the recipe, and one exchanged for the other."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from netlab.capture.model import Endpoint
from netlab.lab import Lab
from netlab.lab.processes.server_plan import Elsewhere, Recipe
from netlab.lab.state import Phase
from tests.support.waiting import PATIENCE, wait_until


@contextlib.contextmanager
def shouting(port: int = 0) -> Iterator[Endpoint]:
    """A server that answers in capitals, one client after the other."""
    with socket.create_server(("127.0.0.1", port)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    with client, contextlib.suppress(ConnectionError):
                        while got := client.recv(8192):
                            client.sendall(got.upper())

        threading.Thread(target=serve, daemon=True).start()
        yield Endpoint(*listener.getsockname())
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def said(lab: Lab, word: bytes) -> bytes:
    with socket.create_connection(lab.address, timeout=PATIENCE) as client:
        client.sendall(word)
        return client.recv(8192)


def test_a_server_elsewhere_is_behind_the_wire_and_nothing_is_started() -> None:
    with shouting() as there, Lab("tcp", server=Elsewhere(there)) as lab:
        assert said(lab, b"hello") == b"HELLO"
        state = lab.state
        assert (state.phase, state.server_address, state.server_pid) == (Phase.SERVING, there, None)
        assert [bytes(segment.data) for segment in lab.capture.segments if segment.data] == [
            b"hello",
            b"HELLO",
        ]


def test_it_need_not_be_there_and_the_first_client_after_it_came_is_served() -> None:
    port = free_port()
    with Lab("tcp", server=Elsewhere(Endpoint("127.0.0.1", port))) as lab:
        with pytest.raises(ConnectionResetError):
            said(lab, b"hello")
        assert lab.state.phase is Phase.SERVING
        with shouting(port):
            assert said(lab, b"hello") == b"HELLO"


def test_stopping_resets_its_flows_and_starting_serves_at_the_same_place() -> None:
    with shouting() as there, Lab("tcp", server=Elsewhere(there)) as lab:
        at = lab.address
        with socket.create_connection(at, timeout=PATIENCE) as client:
            client.sendall(b"hello")
            assert client.recv(8192) == b"HELLO"
            lab.stop()
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        with pytest.raises(ConnectionRefusedError):
            said(lab, b"hello")
        lab.start()
        assert lab.address == at
        assert said(lab, b"hello") == b"HELLO"


def test_a_recipe_is_exchanged_for_a_server_elsewhere_and_back() -> None:
    with shouting() as there, Lab("tcp", model="single") as lab:
        pid = lab.state.server_pid
        assert said(lab, b"hello") == b"hello"
        lab.set_server(Elsewhere(there), "your server")
        assert said(lab, b"hello") == b"HELLO"
        assert lab.state.server_pid is None
        lab.set_server(Recipe(), "the recipe")
        assert said(lab, b"hello") == b"hello"
        assert lab.state.server_pid not in (None, pid)
        lab.stop()
        lab.set_server(Elsewhere(there), "your server")
        lab.start()
        assert said(lab, b"hello") == b"HELLO"
        wait_until(lambda: lab.state.accounts.open_flows == 0)
