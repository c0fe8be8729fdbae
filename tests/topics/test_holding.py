"""While a person holds what clients send, no server drops a client for its silence, whichever model serves it."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from pathlib import Path

import pytest

from netlab.capture.model import Transport
from netlab.certificates import certs
from netlab.topics.discovery import topics
from tests.support.server_processes import Serving, serving
from tests.support.waiting import PATIENCE, wait_until

TIMEOUT = 1.0
HELD_FOR = 1.6
CASES = [(topic, model) for topic in topics().values() if topic.transport is Transport.TCP for model in topic.models]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certs.ensure(tmp_path_factory.mktemp("certs"))


def ask(child: Serving, suspended: bool) -> None:
    assert child.process.stdin is not None
    child.process.stdin.write(json.dumps({"request": "patience", "suspended": suspended}) + "\n")
    child.process.stdin.flush()


def port(child: Serving) -> int:
    return int(json.loads(child.lines[0])["port"])


def dropped(child: Serving) -> bool:
    return any(json.loads(line).get("event") == "dropped" for line in tuple(child.lines))


def test_a_hold_protects_clients_that_were_accepted_before_it(folder: Path) -> None:
    with contextlib.ExitStack() as stack:
        children = {}
        for topic, model in CASES:
            more = ("--certificates", str(folder)) if topic.certificates else ()
            options = ("--model", model, "--supervised", "--timeout", str(TIMEOUT), *more)
            children[f"{topic.name} {model}"] = stack.enter_context(serving(topic.name, *options))
        peers = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port(child)), PATIENCE))
            for child in children.values()
        ]
        for child in children.values():
            ask(child, suspended=True)
        began = time.monotonic()
        wait_until(lambda: time.monotonic() > began + HELD_FOR, "longer than the timeout")
        assert [name for name, child in children.items() if dropped(child)] == []
        for child in children.values():
            ask(child, suspended=False)
        wait_until(lambda: all(map(dropped, children.values())), "after it they are dropped")
        assert len(peers) == len(CASES)
