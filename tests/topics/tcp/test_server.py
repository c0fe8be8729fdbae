"""TCP's models from outside: each in a process of its own, on a free port, with plain sockets as clients."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from netlab.hardening.receiving import LONGEST_LINE
from netlab.topics.tcp.client import Client
from netlab.topics.tcp.server import MODELS
from tests.support.server_processes import Serving, descendants, serving
from tests.support.waiting import PATIENCE, wait_until

ONE_AT_A_TIME = ("single", "raw")
ALL = pytest.mark.parametrize("model", MODELS)
LINUX = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the kernel tells this on Linux alone")


def echoed(peer: socket.socket, message: bytes) -> bytes:
    peer.sendall(message)
    back = b""
    while len(back) < len(message):
        back += peer.recv(65536)
    return back


def reset(peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


@ALL
def test_every_byte_comes_back_until_the_end(model: str) -> None:
    with serving("tcp", "--model", model) as child, child.connect() as peer:
        message = bytes(range(256)) * 200 + b"\n"
        assert echoed(peer, message) == message
        peer.shutdown(socket.SHUT_WR)
        assert peer.recv(1) == b""
        child.wait_for("accepted {}:{}".format(*peer.getsockname()))
        child.wait_for("closed {}:{}".format(*peer.getsockname()))


@ALL
def test_a_reset_harms_nobody_else(model: str) -> None:
    with serving("tcp", "--model", model) as child:
        peer = child.connect()
        name = "{}:{}".format(*peer.getsockname())
        assert echoed(peer, b"Hello\n") == b"Hello\n"
        reset(peer)
        child.wait_for(f"warning: {name}: dropped: [Errno 104]")
        with child.connect() as another:
            assert echoed(another, b"Hello\n") == b"Hello\n"
        assert not any("Traceback" in line for line in child.lines)


@ALL
def test_a_client_that_does_not_read_is_dropped(model: str) -> None:
    with serving("tcp", "--model", model, "--timeout", "0.4") as child, child.connect() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line = b"x" * 1023 + b"\n"
        with contextlib.suppress(ConnectionError):
            while True:
                peer.sendall(line * 64)
        child.wait_for("dropped: it does not read what it is sent")


@ALL
@pytest.mark.parametrize("watched", [(), ("--supervised",)])
def test_a_silent_client_is_dropped(model: str, watched: tuple[str, ...]) -> None:
    with serving("tcp", "--model", model, "--timeout", "0.5", *watched) as child:
        address = child.address if not watched else ("127.0.0.1", int(str(events(child, "listening")[0]["port"])))
        with socket.create_connection(address, PATIENCE) as peer:
            # under a supervisor a timer's signals come five times before that
            child.wait_for("dropped: silent for 0.5 s")
            assert peer.recv(1) == b""


@ALL
def test_stopped_while_it_serves_it_complains_of_nothing(model: str) -> None:
    with serving("tcp", "--model", model, stderr=subprocess.PIPE) as child, child.connect() as peer:
        assert echoed(peer, b"Hello\n") == b"Hello\n"
        assert child.terminate() == 0
        assert child.process.stderr is not None
        assert child.process.stderr.read() == ""
        assert [line for line in child.lines if "error:" in line] == []


@pytest.mark.parametrize("model", ["threading", "pool", "stream"])
def test_what_sendall_waits_in_all_is_no_longer_than_the_timeout(model: str) -> None:
    with serving("tcp", "--model", model, "--timeout", "1.5") as child, child.connect() as peer:
        begun = time.monotonic()
        with contextlib.suppress(ConnectionError):
            while True:
                peer.sendall(b"x" * 65535 + b"\n")
        assert time.monotonic() - begun < 2.8


@ALL
def test_a_second_client_is_served_or_waits_in_the_accept_queue(model: str) -> None:
    with serving("tcp", "--model", model) as child, child.connect() as first:
        assert echoed(first, b"1\n") == b"1\n"
        with child.connect() as second:
            second.sendall(b"2\n")
            if model in ONE_AT_A_TIME:
                second.settimeout(0.2)
                with pytest.raises(TimeoutError):
                    second.recv(10)
                second.settimeout(PATIENCE)
                first.close()
            assert second.recv(10) == b"2\n"


@LINUX
@ALL
def test_the_supervisor_learns_of_queue_threads_and_processes(model: str) -> None:
    with supervised(model) as child, connections(child, 3) as peers:
        served = 1 if model in ONE_AT_A_TIME else 3
        for peer in peers[:served]:
            assert echoed(peer, b"Hello\n") == b"Hello\n"
        want = {
            "event": "gauges",
            "queue": 3 - served,
            "backlog": 5 if model == "single" else 128,
            "threads": {"threading": 4, "stream": 4, "pool": 9}.get(model, 1),
            "processes": 4 if model == "forking" else 1,
        }
        wait_until(lambda: events(child, "gauges")[-1:] == [want], f"{want} in {child.lines[-3:]}")


def supervised(model: str) -> contextlib.AbstractContextManager[Serving]:
    return serving("tcp", "--model", model, "--supervised", "--yield-cpu")


def events(child: Serving, kind: str) -> list[dict[str, object]]:
    told = [json.loads(line) for line in tuple(child.lines)]
    return [event for event in told if event["event"] == kind]


@contextlib.contextmanager
def connections(child: Serving, count: int) -> Iterator[list[socket.socket]]:
    (listening,) = events(child, "listening")
    with contextlib.ExitStack() as stack:
        address = str(listening["host"]), int(str(listening["port"]))
        yield [stack.enter_context(socket.create_connection(address, PATIENCE)) for _ in range(count)]


@LINUX
def test_the_pool_grows_neither_in_threads_nor_in_waiting_clients() -> None:
    with supervised("pool") as child, connections(child, 30) as peers:
        held = 8 + 8 + 1  # with the eight threads, with the eight waiting places, with the accept loop itself
        want = {"event": "gauges", "queue": 30 - held, "backlog": 128, "threads": 9, "processes": 1}
        wait_until(lambda: events(child, "gauges")[-1:] == [want], f"{want} in {child.lines[-3:]}")
        for peer in peers[:22]:
            peer.close()
        assert all(echoed(peer, b"Hello") == b"Hello" for peer in peers[22:])


@LINUX
def test_forking_is_bounded_and_takes_others_in_when_children_end() -> None:
    with supervised("forking") as child, connections(child, 45) as peers:
        wait_until(lambda: any(event["processes"] == 41 for event in events(child, "gauges")), "40 children")
        assert len(descendants(child.process.pid)) == 40
        child.wait_for("40 clients are served, and no more at once: the next one waits")
        peers[44].sendall(b"Hello")
        for peer in peers[:10]:
            peer.close()
        assert peers[44].recv(10) == b"Hello"
        before = descendants(child.process.pid)
        assert child.terminate() == 0
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in before), "the end of all children")


def test_forking_leaves_the_exit_status_of_other_children_alone() -> None:
    code = """
import os, socket, subprocess, sys
from netlab.topics.tcp.server_forking import Server
server = Server(("127.0.0.1", 0))
other = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
peer = socket.create_connection(server.server_address)
server.handle_request()
peer.shutdown(socket.SHUT_WR)  # not close: the child has a copy
os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)  # both have ended, and none is reaped
os.waitid(os.P_PID, *server.active_children, os.WEXITED | os.WNOWAIT)
while server.active_children:
    server.service_actions()
print(other.wait())
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE)
    assert (told.stdout, told.stderr) == ("3\n", "")


def test_a_forked_child_that_outlives_the_server_does_not_keep_the_port() -> None:
    with serving("tcp", "--model", "forking") as child, child.connect() as peer:
        assert echoed(peer, b"Hello") == b"Hello"
        child.process.kill()
        child.process.wait(PATIENCE)
        socket.create_server(child.address).close()
        assert echoed(peer, b"still here") == b"still here"


def test_stream_answers_by_line_and_at_the_end_with_the_rest() -> None:
    with serving("tcp", "--model", "stream") as child, child.connect() as peer:
        peer.sendall(b"Hello")
        peer.settimeout(0.2)
        with pytest.raises(TimeoutError):
            peer.recv(10)
        peer.settimeout(PATIENCE)
        assert echoed(peer, b" World\nand")[:10] == b"Hello Worl"
        peer.shutdown(socket.SHUT_WR)
        rest = b""
        while piece := peer.recv(100):
            rest += piece
        assert rest.endswith(b"and")


def test_stream_refuses_a_line_without_end() -> None:
    with serving("tcp", "--model", "stream") as child, child.connect() as peer:
        with contextlib.suppress(ConnectionError):
            peer.sendall(b"x" * (2 * LONGEST_LINE))
            peer.recv(1)
        child.wait_for(f"refused: a line of more than {LONGEST_LINE} bytes")


@ALL
def test_ipv6_works(model: str) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with serving("tcp", "--model", model, "--host", "::1") as child:
        assert child.lines[0].startswith("listening on [::1]:")
        client = Client(child.address)
        client.sendall(b"Hello\n")
        assert client.recv() == b"Hello\n"
        client.close()
        client.close()


def test_the_client_takes_bytes_alone_and_a_bounded_size() -> None:
    with serving("tcp") as child:
        client = Client(child.address)
        with pytest.raises(TypeError, match=r"a socket sends bytes, as b'Hello', not str"):
            client.send("Hello")  # type: ignore[arg-type]  # what a beginner types
        for size in (0, -1, 1 << 40):
            with pytest.raises(ValueError, match="bufsize is 1 to"):
                client.recv(size)
        assert client.send(b"Hello") == 5
        assert client.recv(8192) == b"Hello"
        client.close()


def test_the_client_says_so_when_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        address = gone.getsockname()
    with pytest.raises(ConnectionRefusedError):
        Client(address)
