"""What a lab says of any server's sockets, asked of the kernel: queues, unread bytes, who has left, which process."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager

import pytest

from netlab.capture.model import Endpoint
from netlab.lab import Lab
from netlab.lab.processes.server_plan import Elsewhere
from netlab.lab.server_sockets import FlowSockets, ServerSockets
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sock_diag(7) is Linux's")

TWO_WORKERS = """
import os, signal, socket, sys, time
listener = socket.create_server(("127.0.0.1", 0), backlog=7)
def work():
    while True:
        client, _ = listener.accept()
        while got := client.recv(65536):
            client.sendall(got)
        time.sleep(0 if got is None else 60)  # it does not close: the classic leak
workers = []
for _ in range(2):
    if not (pid := os.fork()):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        work()
    workers.append(pid)
print(listener.getsockname()[1], *workers, flush=True)
sys.stdin.read()
for pid in workers:
    os.kill(pid, signal.SIGKILL)
"""


FORWARDER = """
import socket, sys
with open("/proc/self/comm", "w") as name:
    name.write("docker-proxy")
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
sys.stdin.read()
"""


class Listening:
    """A server of this test: it accepts and reads only when it is told to."""

    def __init__(self, stack: ExitStack, host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._stack = stack
        self.listener = stack.enter_context(socket.create_server((host, 0), family=family, backlog=5))
        self.endpoint = Endpoint(*self.listener.getsockname()[:2])

    def accept(self) -> socket.socket:
        self.listener.settimeout(PATIENCE)
        accepted = self._stack.enter_context(closing(self.listener.accept()[0]))
        accepted.settimeout(PATIENCE)
        return accepted


class Bench:
    """A lab with a server elsewhere, and clients of the wire whose flows are watched."""

    def __init__(self, stack: ExitStack, server: Endpoint) -> None:
        self._stack = stack
        self.lab = stack.enter_context(Lab("tcp", server=Elsewhere(server)))

    def client(self) -> socket.socket:
        client = self._stack.enter_context(closing(socket.create_connection(self.lab.address, timeout=PATIENCE)))
        self.lab.watch({Endpoint(*client.getsockname()[:2])})
        return client

    def sockets(self, condition: Callable[[ServerSockets], object]) -> ServerSockets:
        """What the kernel says, once the condition holds of it."""

        def found() -> ServerSockets | None:
            sockets = self.lab.state.sockets
            return sockets if sockets is not None and condition(sockets) else None

        found_ones = wait_until(found, f"in {self.lab.state.sockets}")
        assert found_ones is not None
        return found_ones

    def flow(self, client: socket.socket, condition: Callable[[FlowSockets], object]) -> FlowSockets:
        """What it says of a client's flow, once the condition holds of it."""
        at = Endpoint(*client.getsockname()[:2])
        return self.sockets(lambda sockets: at in sockets.flows and condition(sockets.flows[at])).flows[at]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_queue_and_unread_bytes_of_a_server_that_reports_nothing(stack: ExitStack, host: str) -> None:
    server = Listening(stack, host)
    bench = Bench(stack, server.endpoint)
    first = bench.client()
    first.sendall(b"Hello")
    waiting = bench.flow(first, lambda flow: flow.server_queue)
    assert waiting == FlowSockets(position=0, accepted=False, server_queue=5)
    bench.sockets(lambda sockets: (sockets.queue, sockets.backlog) == (1, 5))
    assert (bench.lab.state.queue, bench.lab.state.backlog) == (1, 5)
    accepted = server.accept()
    assert accepted.recv(2) == b"He"
    reading = bench.flow(first, lambda flow: flow.position == 2 and flow.accepted and flow.pid)
    assert (reading.server_queue, reading.unread, reading.left, reading.pid) == (3, 3, False, os.getpid())
    first.shutdown(socket.SHUT_WR)
    ended = bench.flow(first, lambda flow: flow.left)
    assert (ended.position, ended.unread) == (2, 3), "the unread end is no byte"
    bench.sockets(lambda sockets: sockets.left == 1)
    assert accepted.recv(10) == b"llo"
    assert accepted.recv(10) == b""
    assert bench.flow(first, lambda flow: flow.position > 5).position == 6, "the end was read, too"
    accepted.close()
    bench.sockets(lambda sockets: sockets.left == 0 and not sockets.flows)


def test_each_place_on_the_way_has_its_own_bytes(stack: ExitStack) -> None:
    server = Listening(stack)
    bench = Bench(stack, server.endpoint)
    client = bench.client()
    accepted = server.accept()
    client.setblocking(False)
    sent = 0

    def complete() -> bool:
        """Whether no part of the way takes more, and every byte is accounted for."""
        nonlocal sent
        with contextlib.suppress(BlockingIOError):
            while True:
                sent += client.send(bytes(1 << 20))
        (unsent,) = struct.unpack("=i", fcntl.ioctl(client.fileno(), termios.TIOCOUTQ, bytes(4)))
        now = bench.flow(client, lambda flow: True)
        return bool(now.server_queue and now.send_queue and now.at_wire) and now.unread + unsent == sent

    wait_until(complete)
    assert bench.flow(client, lambda flow: True).position == 0
    client.close()
    accepted.setblocking(True)
    while accepted.recv(1 << 20):
        pass
    bench.sockets(lambda sockets: not sockets.flows or not next(iter(sockets.flows.values())).unread)


def test_what_a_fault_holds_is_at_the_wire(stack: ExitStack) -> None:
    server = Listening(stack)
    bench = Bench(stack, server.endpoint)
    bench.lab.wire.fault("delay 1000s")
    client = bench.client()
    client.sendall(b"Hello")
    held = bench.flow(client, lambda flow: flow.at_wire)
    assert (held.position, held.server_queue, held.send_queue, held.at_wire) == (0, 0, 0, 5)


def test_positions_count_from_the_beginning_of_the_capture(stack: ExitStack) -> None:
    server = Listening(stack)
    bench = Bench(stack, server.endpoint)
    client = bench.client()
    client.sendall(b"Hello")
    bench.flow(client, lambda flow: flow.server_queue == 5)
    bench.lab.clear_capture()
    client.sendall(b"again")
    flow = bench.flow(client, lambda flow: flow.server_queue == 10 and flow.position)
    assert flow.position == -5, "the new capture begins after five bytes that were not read either"


def test_connections_beside_the_wire_are_counted(stack: ExitStack) -> None:
    server = Listening(stack)
    bench = Bench(stack, server.endpoint)
    through = bench.client()
    stack.enter_context(closing(socket.create_connection(server.endpoint)))
    bench.sockets(lambda sockets: sockets.direct == 1 and sockets.queue == 2)
    through.close()


@contextmanager
def two_workers() -> Iterator[tuple[Endpoint, set[int], int]]:
    running = subprocess.Popen(
        [sys.executable, "-c", TWO_WORKERS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with running:
        assert running.stdin is not None
        assert running.stdout is not None
        port, *workers = map(int, running.stdout.readline().split())
        yield Endpoint("127.0.0.1", port), set(workers), running.pid
        running.stdin.close()


def test_the_worker_that_has_a_connection_is_named(stack: ExitStack) -> None:
    server, workers, master = stack.enter_context(two_workers())
    bench = Bench(stack, server)
    clients = [bench.client(), bench.client()]
    bench.lab.watch({Endpoint(*client.getsockname()) for client in clients})
    for client in clients:
        client.sendall(b"Hello")
        assert client.recv(10) == b"Hello"
    found = {bench.flow(client, lambda flow: flow.pid).pid for client in clients}
    assert found == workers
    sockets = bench.sockets(lambda sockets: sockets.processes == 3)
    assert (sockets.threads, sockets.name.startswith("python"), sockets.forwarder, sockets.backlog) == (
        3,
        True,
        False,
        7,
    )
    assert (bench.lab.state.processes, bench.lab.state.threads) == (3, 3)
    assert master not in found
    clients[0].close()
    bench.sockets(lambda sockets: sockets.left == 1)


def test_a_server_that_is_not_here_is_said_to_be_unknown_and_nothing_is_claimed(stack: ExitStack) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        at = Endpoint("127.0.0.1", gone.getsockname()[1])
    bench = Bench(stack, at)
    sockets = bench.sockets(lambda sockets: True)
    assert sockets.unknown.startswith("the kernel shows no listener there: it may be in a container")
    assert (sockets.queue, sockets.backlog, sockets.processes, sockets.name) == (None, None, None, "")
    assert (bench.lab.state.queue, bench.lab.state.threads) == (None, None)


def test_a_forwarder_is_named_and_nothing_is_claimed_of_what_is_behind_it(stack: ExitStack) -> None:
    running = stack.enter_context(
        subprocess.Popen([sys.executable, "-c", FORWARDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    )
    assert running.stdin is not None
    assert running.stdout is not None
    stack.callback(running.stdin.close)
    bench = Bench(stack, Endpoint("127.0.0.1", int(running.stdout.readline())))
    sockets = bench.sockets(lambda sockets: sockets.name)
    assert (sockets.name, sockets.forwarder, sockets.queue) == ("docker-proxy", True, 0)
    assert (sockets.processes, sockets.threads) == (None, None)
    assert (bench.lab.state.processes, bench.lab.state.threads) == (None, None)


def test_datagrams_wait_and_drops_are_known_for_the_socket_as_a_whole(stack: ExitStack) -> None:
    server = stack.enter_context(closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)))
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    server.bind(("127.0.0.1", 0))
    lab = stack.enter_context(Lab("udp", server=Elsewhere(Endpoint(*server.getsockname()))))
    client = stack.enter_context(closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)))
    for _ in range(10):
        client.sendto(b"Hello", lab.address)
    wait_until(lambda: (sockets := lab.state.sockets) and sockets.drops and sockets.datagrams_wait)
    while True:
        with contextlib.suppress(BlockingIOError):
            server.recv(100, socket.MSG_DONTWAIT)
            continue
        break
    wait_until(lambda: (sockets := lab.state.sockets) and not sockets.datagrams_wait)


def test_a_topics_own_server_is_looked_at_as_well(stack: ExitStack) -> None:
    lab = stack.enter_context(Lab("tcp", model="single"))
    clients = [stack.enter_context(closing(socket.create_connection(lab.address))) for _ in range(2)]
    lab.watch({Endpoint(*clients[1].getsockname())})
    clients[1].sendall(b"Hello")
    wait_until(lambda: lab.state.queue == 1 and lab.state.backlog == 5)
    found = wait_until(lambda: (sockets := lab.state.sockets) and next(iter(sockets.flows.values()), None))
    assert isinstance(found, FlowSockets)
    wait_until(lambda: (s := lab.state.sockets) and [flow.server_queue for flow in s.flows.values()] == [5])
    lab.set_model("threading")
    wait_until(lambda: (s := lab.state.sockets) is not None and s.server == lab.state.server_address and not s.flows)


def test_the_sampler_ends_with_its_lab(stack: ExitStack) -> None:
    with Lab("tcp") as lab:
        wait_until(lambda: lab.state.sockets)
    wait_until(lambda: not [thread for thread in threading.enumerate() if thread.name == "kernel sampler"])
