"""Children that were started before their lab."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from netlab.lab.lab import Lab
from netlab.lab.processes.child import Child
from netlab.lab.processes.early import EarlyChildren
from netlab.lab.processes.lab_settings import LabSettings
from netlab.lab.processes.setup import TAB_IDLE
from netlab.lab.state import Phase
from netlab.topics.contract import Topic
from netlab.topics.discovery import topic_named
from netlab.ui.lab_thread import LiveLab
from tests.support.waiting import wait_until


def free(name: str) -> Topic:
    return dataclasses.replace(topic_named(name), port=0)


@pytest.fixture
def early() -> Iterator[EarlyChildren]:
    children = EarlyChildren(free("tcp"))
    yield children
    children.close()


def _lab(early: EarlyChildren) -> Lab:
    """As the app makes it."""
    return Lab(free("tcp"), port=0, yield_cpu=True, server_timeout=TAB_IDLE, early=early)


def started(early: EarlyChildren) -> list[Child]:
    return list(early._children.values())


def test_they_serve_before_there_is_a_lab_and_the_lab_takes_them_over(early: EarlyChildren) -> None:
    address = wait_until(lambda: early.serving)
    wire, server = started(early)
    with _lab(early) as lab, lab.connect() as client:
        assert lab.address == address
        assert lab.state.server_pid == server.pid
        client.send(b"Hello")
        assert client.recv(8192) == b"Hello"
        assert len(lab.capture.segments) >= 3
        assert started(early) == []
    assert wire.ended.wait(10)
    assert server.ended.wait(10)


@pytest.mark.parametrize("model", ["threading", None])
def test_those_that_are_not_what_the_lab_wants_are_ended(early: EarlyChildren, model: str | None) -> None:
    children = started(early)
    with Lab(free("tcp"), port=0, model=model, early=early) as lab, lab.connect() as client:
        assert lab.state.phase is Phase.SERVING
        assert lab.state.model == (model or "single")
        client.send(b"Hello")
        assert client.recv(8192) == b"Hello"
        assert all(child.ended.is_set() for child in children)


def test_they_are_as_the_settings_have_them() -> None:
    settings = LabSettings("threading", "127.0.0.2", 0, {"authkey": b"spam"}, ("delay 1ms", "slice 2 →"))
    topic = topic_named("multiprocessing")
    early = EarlyChildren(topic, settings)
    live = LiveLab(topic, settings, early)
    try:
        address, pids = wait_until(lambda: early.serving), [child.pid for child in started(early)]
        live.start()
        wait_until(lambda: live.lab.state.phase is Phase.SERVING)
        assert started(early) == [], "the lab took them over"
        assert live.lab.state.server_pid in pids
        assert live.lab.address == address
        assert address.host == "127.0.0.2"
        assert (live.lab.state.model, live.lab.wire.faults) == ("threading", ("delay 1ms", "slice 2 →"))
        with live.lab.connect() as client:
            client.send([1, 2])
            assert client.recv() == [1, 2]
    finally:
        live.close()
        early.close()


def test_a_lab_begins_with_its_faults_where_nothing_was_started_early() -> None:
    with Lab("tcp", faults=["delay 1ms"]) as lab:
        assert lab.wire.faults == ("delay 1ms",)
        lab.wire.clear()
        lab.restart()
        assert lab.wire.faults == ()


def test_what_nobody_took_over_ends_with_its_folder() -> None:
    early = EarlyChildren(free("udp"))
    children, folder = started(early), early.folder
    assert folder is not None
    threading.Thread(target=early.close).start()
    assert all(child.ended.wait(10) for child in children)
    wait_until(lambda: not folder.path.exists())


def test_a_port_that_is_taken_is_the_labs_to_say(early: EarlyChildren) -> None:
    taken = wait_until(lambda: early.serving)
    topic = dataclasses.replace(topic_named("tcp"), port=taken.port)
    second = EarlyChildren(topic)
    lab = Lab(topic, port=taken.port, yield_cpu=True, early=second)
    try:
        with pytest.raises(Exception, match=f"{taken.port} is already in use"):
            lab.start()
        assert second.serving is None
    finally:
        lab.close()
        second.close()


def test_certificates_are_not_made_early() -> None:
    early = EarlyChildren(free("tls"))
    assert started(early) == []
    assert early.folder is None


def test_little_is_imported_for_them() -> None:
    code = "import sys, netlab.lab.processes.early; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"asyncio", "textual", "rich", "argparse", "ssl", "logging", "http"} & set(loaded)
