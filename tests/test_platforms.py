"""What netlab does on a system that lacks what Linux has: every module is imported, and what cannot work says why."""

import fcntl
import os
import select
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from netlab.platforms import ERROR, READABLE, WRITABLE, SelectPoll, lacks, ready
from netlab.topics.discovery import topic_named

LACKING = "fcntl resource termios pwd select.epoll os.fork socket.AF_NETLINK"
WITHOUT_POLL = f"{LACKING} select.poll"
ROOT = Path(__file__).parents[1]

EVERY_MODULE = """
import importlib, pkgutil, sys, traceback
import netlab
from netlab.topics.discovery import topics
forking = {f"{topic.package}.server_{model}" for topic in topics().values() for model in topic.forks}
forking.add("netlab.hardening.forking")
failed = 0
for found in pkgutil.walk_packages(netlab.__path__, "netlab."):
    if found.name in forking:  # asked for only where the system can fork
        continue
    try:
        importlib.import_module(found.name)
    except Exception as error:
        failed += 1
        print(found.name, *traceback.format_exception_only(error), sep=": ", end="")
sys.exit(failed)
"""


def environment(lacking: str) -> dict[str, str]:
    path = os.pathsep.join((str(ROOT / "tests" / "support" / "lacking"), str(ROOT)))
    return {**os.environ, "PYTHONPATH": path, "TEST_LACKS": lacking}


def run(*words: str, lacking: str = LACKING) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *words]
    return subprocess.run(
        command, env=environment(lacking), capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60
    )


def test_every_module_is_imported_where_much_is_missing() -> None:
    done = run("-c", EVERY_MODULE)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_a_model_that_forks_says_why_it_cannot() -> None:
    done = run("-m", "netlab", "serve", "tcp", "--model", "forking", "--port", "0")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "netlab serve tcp: error: --model forking: this system has no os.fork, to make a process per client; "
        "Linux, macOS and WSL do"
    )


def test_a_lab_runs_where_only_that_is_missing() -> None:
    done = run("-m", "netlab", "call", "wsgi", "Hello")
    assert done.returncode == 0, done.stderr
    assert "Hello" in done.stdout


@pytest.mark.parametrize(
    ("command", "missing", "reason"),
    [
        ("tcp", "termios", "netlab: this system has no POSIX terminals"),
        ("inspect", "termios", "netlab inspect: this system has no POSIX terminals"),
        ("call", "os.killpg", "netlab call: this system has no process groups"),
        ("run", "signal.setitimer", "netlab run: this system has no interval timers"),
    ],
)
def test_a_command_says_what_it_cannot_do_without(command: str, missing: str, reason: str) -> None:
    done = run("-m", "netlab", command, lacking=missing)
    assert done.returncode == 1
    assert done.stderr.startswith(reason)
    assert done.stderr.count("\n") == 1


def test_the_wire_relays_with_select_alone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        words = ["-m", "netlab", "wire", "--to", f"127.0.0.1:{server.getsockname()[1]}"]
        wire = subprocess.Popen(
            [sys.executable, *words], env=environment(WITHOUT_POLL), stdout=subprocess.PIPE, text=True
        )
        try:
            assert wire.stdout is not None
            host, _, port = wire.stdout.readline().partition(" → ")[0].rpartition(" ")[2].rpartition(":")
            with socket.create_connection((host, int(port)), timeout=10) as client, closing(server.accept()[0]) as peer:
                client.sendall(b"Hello")
                assert peer.recv(8192) == b"Hello"
                peer.shutdown(socket.SHUT_WR)
                assert client.recv(8192) == b""
        finally:
            wire.terminate()
            wire.communicate(timeout=10)
        assert wire.returncode == 0


def test_select_stands_in_for_poll() -> None:
    one, other = socket.socketpair()
    with one, other:
        watch = SelectPoll()
        watch.register(one, READABLE)
        watch.register(other, READABLE | WRITABLE)
        assert watch.poll(0) == [(other.fileno(), WRITABLE)]
        other.send(b"x")
        assert dict(watch.poll(1000))[one.fileno()] == READABLE
        watch.modify(other, 0)
        watch.unregister(one)
        assert watch.poll(1) == []


def test_the_numbers_are_the_systems_own() -> None:
    assert (READABLE, WRITABLE, ERROR) == (select.POLLIN, select.POLLOUT, select.POLLERR)


def test_a_topic_knows_which_models_work(monkeypatch: pytest.MonkeyPatch) -> None:
    tcp = topic_named("tcp")
    assert tcp.usable_models == tcp.models
    assert not lacks(["os.fork", "termios"])
    monkeypatch.delattr(os, "fork")
    assert set(tcp.models) - set(tcp.usable_models) == {"forking"}
    assert "os.fork" in tcp.lacking("forking")


def test_a_descriptor_of_any_number_can_be_waited_for() -> None:
    reading, writing = os.pipe()
    high = fcntl.fcntl(reading, fcntl.F_DUPFD, 1500)  # more than `select.select` takes
    try:
        assert not ready(high, READABLE)
        os.write(writing, b"x")
        assert ready(high, READABLE, 5)
    finally:
        for each in (reading, writing, high):
            os.close(each)
