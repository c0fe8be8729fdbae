"""A wire in a thread of the test, servers to put behind it, and waiting for what must happen."""

from __future__ import annotations

import contextlib
import queue
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from netlab.capture.model import Endpoint, Transport
from netlab.capture.writer import CaptureWriter
from netlab.wire.facts import Fact, Listening
from netlab.wire.impairment.fault import Impairment
from netlab.wire.live_wire import LiveWire
from netlab.wire.loop import READ, Loop
from netlab.wire.relay.stats import RelayStats
from tests.support.waiting import PATIENCE

T = TypeVar("T")


class Relaying:
    """A wire at a free port; ``ask`` runs something in its thread, as a request would."""

    def __init__(
        self,
        target: Endpoint | None,
        path: Path | None = None,
        transport: Transport = Transport.TCP,
        host: str = "127.0.0.1",
        limit: int = 256 << 20,
    ) -> None:
        self.facts: list[Fact] = []
        self.path = path
        self.loop = Loop()
        self.writer = CaptureWriter(None if path is None else str(path), limit)
        self.wire = LiveWire(transport, self.loop, self.writer, self.facts.append)
        self._asked: queue.Queue[Callable[[], object]] = queue.Queue()
        self._hear, self._speak = socket.socketpair()
        self.loop.watch(self._hear.fileno(), READ, self._answer)
        if target is not None:
            self.wire.aim(target)
        self.wire.listen(Endpoint(host, 0))
        self._thread = threading.Thread(target=self.wire.run, daemon=True)
        self._thread.start()

    @property
    def address(self) -> Endpoint:
        return self.told(Listening)[-1].address

    def told(self, kind: type[T]) -> list[T]:
        """What was told of one kind, so far."""
        return [fact for fact in tuple(self.facts) if isinstance(fact, kind)]

    def ask(self, what: Callable[[], T]) -> T:
        """Run it in the wire's thread and wait for what it returns."""
        answers: queue.Queue[T] = queue.Queue()
        self._asked.put(lambda: answers.put(what()))
        self._speak.send(b".")
        return answers.get(timeout=PATIENCE)

    @property
    def stats(self) -> RelayStats:
        """What the wire holds now."""
        return self.ask(lambda: self.wire.stats)

    @contextlib.contextmanager
    def at_rest(self) -> Iterator[None]:
        """The wire's thread does nothing within the block, whatever happens; afterwards it sees all of it at once."""
        resting, go_on = threading.Event(), threading.Event()

        def rest() -> None:
            resting.set()
            go_on.wait(PATIENCE)

        with in_background(lambda: self.ask(rest)):
            assert resting.wait(PATIENCE)
            yield
            go_on.set()

    def rounds(self, while_: Callable[[], object]) -> int:
        """How often the loop went round meanwhile."""
        count, after = 0, self.loop.after

        def counted() -> None:
            nonlocal count
            count += 1
            after()

        self.loop.after = counted
        while_()
        self.loop.after = after
        return count

    def impair(self, *chain: Impairment) -> None:
        """Faults of the test's own, as if the catalog had them."""
        self.ask(lambda: self.wire.set_chain(chain))

    def connect(self) -> socket.socket:
        client = socket.create_connection(self.address, timeout=PATIENCE)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    def stop(self) -> None:
        if self._thread.is_alive():
            self.ask(self.loop.stop)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        self._hear.close()
        self._speak.close()

    def _answer(self, mask: int) -> None:
        self._hear.recv(1)
        self._asked.get_nowait()()

    def __enter__(self) -> Relaying:
        return self

    def __exit__(self, *why: object) -> None:
        self.stop()


@contextlib.contextmanager
def listening(backlog: int = 128, host: str = "127.0.0.1") -> Iterator[socket.socket]:
    """A server's listening socket; the test accepts by hand."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family, backlog=backlog) as server:
        server.settimeout(PATIENCE)
        yield server


def accept(server: socket.socket) -> socket.socket:
    """The next connection."""
    connection, _ = server.accept()
    connection.settimeout(PATIENCE)
    return connection


def endpoint(sock: socket.socket) -> Endpoint:
    return Endpoint(*sock.getsockname()[:2])


def read_all(sock: socket.socket) -> bytes:
    """Everything up to the end of the stream."""
    parts = []
    while part := sock.recv(1 << 16):
        parts.append(part)
    return b"".join(parts)


def read_exactly(sock: socket.socket, count: int) -> bytes:
    """So many bytes, or fewer where the stream ends."""
    got = bytearray()
    while len(got) < count and (part := sock.recv(count - len(got))):
        got += part
    return bytes(got)


def abort(sock: socket.socket) -> None:
    """Close with a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@contextlib.contextmanager
def in_background(what: Callable[[], object]) -> Iterator[None]:
    """Run something beside; it must have ended when the block has."""
    thread = threading.Thread(target=what, daemon=True)
    thread.start()
    yield
    thread.join(PATIENCE)
    assert not thread.is_alive()
