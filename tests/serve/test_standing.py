"""A server's process reports where its threads, processes and tasks stand, and for whom, while it is asked to."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from netlab.capture.model import Endpoint
from netlab.lab.processes.setup import passing_certificates
from netlab.lab.standing.standings import Stand, StandingReports, Standings
from netlab.topics.discovery import topic_named
from tests.support.server_processes import Serving
from tests.support.waiting import wait_until


class Sampled(Serving):
    """A supervised server that is asked where it stands."""

    def ask(self, on: bool = True) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"request": "standing", "on": on}) + "\n")
        self.process.stdin.flush()

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in tuple(self.lines)]

    @property
    def address(self) -> tuple[str, int]:
        return self.messages[0]["host"], self.messages[0]["port"]

    @property
    def standings(self) -> Standings:
        reports = StandingReports()
        for message in self.messages:
            if message["event"] == "standing":
                reports.take(message, self.process.pid)
        return reports.latest or Standings()

    def stand_of(self, client: socket.socket) -> Stand:
        """Where a client stands, once it does."""
        at = Endpoint(*client.getsockname())
        wait_until(lambda: at in self.standings.clients, f"{at} in {self.standings}")
        return next(stand for stand in self.standings.stands if at in stand.clients)


@contextlib.contextmanager
def sampled(*arguments: str) -> Iterator[Sampled]:
    server = Sampled([*arguments, "--supervised"])
    try:
        yield server
    finally:
        assert server.process.stdin is not None and server.process.stdout is not None
        server.process.stdin.close()
        assert server.process.wait(10) == 0
        server.process.stdout.close()


def code_at(topic: str, stand: Stand) -> str:
    """The line of the recipe, its server if that is on the stack, at which something stands."""
    inside = [place for place in stand.places if place.file.startswith(f"{topic}/")]
    place = next((place for place in inside if place.file.startswith(f"{topic}/server")), inside[0])
    if not place.line:
        return f"class {place.of}: {place.method}"
    return topic_named(topic).text(place.file.removeprefix(f"{topic}/")).split("\n")[place.line - 1].strip()


RECV = "while message := self.request.recv(8192):"
STANDS = {
    ("tcp", "single"): ("main", RECV),
    ("tcp", "threading"): ("thread", RECV),
    ("tcp", "forking"): ("process", RECV),
    ("tcp", "pool"): ("thread", RECV),
    ("tcp", "raw"): ("main", "while message := client.recv(8192):"),
    ("tcp", "stream"): ("thread", "while line := lines.read_line():"),
    ("tcp", "asyncio"): ("task", "while message := await reader.read(8192):"),
    ("wsgi", "single"): ("main", "class RequestHandler: await_first_byte"),
    ("xmlrpc", "threading"): ("thread", "class CallHandler: await_first_byte"),
    ("multiprocessing", "threading"): ("thread", "deliver_challenge("),
    ("hmac", "single"): ("main", "response = recv_exactly(client, DIGEST_LENGTH, deadline)"),
    ("tls", "threading"): ("thread", "client.shake_hands("),
    ("zerocopy", "single"): ("main", "kind, length = HEADER.unpack(receive("),
}
"""By topic and model: what serves a client that says nothing, and the line at which that stands."""


@pytest.mark.parametrize(("topic", "model"), STANDS, ids=["-".join(each) for each in STANDS])
def test_a_silent_client_stands_where_its_server_waits_for_it(topic: str, model: str) -> None:
    what, line = STANDS[topic, model]

    def stands_there(client: socket.socket) -> bool:
        stand = server.stand_of(client)
        return stand.what == what and code_at(topic, stand).startswith(line)

    with contextlib.ExitStack() as opened:
        folder = opened.enter_context(passing_certificates())
        certificates = ["--certificates", str(folder())] if topic == "tls" else []
        server = opened.enter_context(sampled(topic, "--model", model, *certificates))
        first = opened.enter_context(server.connect())
        server.ask()
        wait_until(lambda: stands_there(first), f"{line} in {server.standings}")
        if what != "main":
            with server.connect() as second:
                wait_until(lambda: stands_there(second), f"{line} in {server.standings}")
        first.close()
        wait_until(lambda: not server.standings.clients, "nobody stands anywhere")


@pytest.mark.parametrize("model", ["single", "threading", "asyncio"])
def test_a_udp_server_stands_where_it_receives(model: str) -> None:
    with sampled("udp", "--model", model) as server:
        server.ask()
        wait_until(lambda: server.standings.stands, "it stands somewhere")
        lines = {code_at("udp", stand) for stand in server.standings.stands}
    expected = {
        "single": {"request, address = receive(self.socket)"},
        "threading": {"class Server: serve_forever"},
        "asyncio": {
            "runner.run(self.serve())",
            "await loop.create_future()  # which nobody completes",
        },
    }
    assert expected[model] <= lines


def test_it_is_quiet_until_it_is_asked_and_once_it_is_asked_no_more() -> None:
    def reports() -> int:
        return sum(message["event"] == "standing" for message in server.messages)

    with sampled("tcp", "--model", "forking") as server, server.connect() as first:
        server.wait_for("accepted")
        assert not reports()
        server.ask()
        server.stand_of(first)
        server.ask(False)
        with server.connect() as second:
            second.sendall(b"x")
            assert second.recv(1) == b"x"
            first.sendall(b"y")
            assert first.recv(1) == b"y"
            server.ask()  # the requests are read in order: what came between them is in the lines now
            server.stand_of(second)
        wait_until(lambda: len(server.standings.clients) == 1, "the second one's process has ended")


def test_a_forked_child_still_drops_a_silent_client_while_it_samples_itself() -> None:
    with sampled("tcp", "--model", "forking", "--timeout", "1") as server, server.connect() as client:
        server.ask()
        server.stand_of(client)
        server.wait_for("silent for 1 s")


OWN = """\
import socket

class Server:
    def __init__(self, address):
        self.socket = socket.create_server(address)
        self.server_address = self.socket.getsockname()

    def serve_forever(self):
        while True:
            conn, _ = self.socket.accept()
            conn.sendall(conn.recv(100))
            answer = conn.recv(100)

    def server_close(self):
        self.socket.close()
"""


def test_sampling_keeps_no_connection_open_that_a_persons_server_has_let_go_of(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(OWN)
    with sampled("tcp", "--server", str(file)) as server:
        first, second = server.connect(), server.connect()
        with first, second:
            server.ask()
            stand = server.stand_of(first)
            assert (stand.places[0].file, stand.places[0].line, stand.what) == ("own/mine.py", 11, "main")
            first.sendall(b"a")
            assert first.recv(100) == b"a"
            wait_until(lambda: server.stand_of(first).places[0].line == 12, "the next line")
            server.ask(False)
            first.sendall(b"b")
            second.sendall(b"c")
            assert second.recv(100) == b"c"
            assert first.recv(100) == b""  # the variable has another value now, and so nobody holds the first one


def test_many_threads_are_reported_in_parts_that_are_written_whole() -> None:
    clients: Sequence[socket.socket] = ()
    with sampled("tcp", "--model", "threading") as server, contextlib.ExitStack() as opened:
        clients = [opened.enter_context(server.connect()) for _ in range(100)]
        server.ask()
        wait_until(lambda: len(server.standings.clients) == len(clients), "all stand")
        assert any(message.get("more") for message in server.messages)
        assert max(map(len, server.lines)) < 4096


STRANGE = """\
import asyncio

class Strange(asyncio.BaseTransport):
    def __getattribute__(self, name):
        raise RuntimeError(name)

    def get_extra_info(self, name, default=None):
        raise RuntimeError(name)

"""


def test_what_a_servers_objects_raise_harms_neither_it_nor_the_sampling(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(STRANGE + OWN.replace("        while True", "        strange = Strange()\n        while True"))
    with sampled("tcp", "--server", str(file)) as server, server.connect() as client:
        server.ask()
        assert server.stand_of(client).what == "main"
        client.sendall(b"a")
        assert client.recv(100) == b"a"
