from __future__ import annotations

import errno
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from netlab.lab.client.cancellable_socket import MOST_READS, Abandoned, CancellableSocket, Wake
from tests.support.waiting import wait_until


@pytest.fixture
def wake() -> Wake:
    return Wake()


@pytest.fixture
def pair(wake: Wake) -> Iterator[tuple[CancellableSocket, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = CancellableSocket(socket.AF_INET, socket.SOCK_STREAM, wake=wake)
        ours.settimeout(10)
        ours.connect(listener.getsockname())
        theirs, _ = listener.accept()
        with ours, theirs:
            yield ours, theirs


def abandoned(call: Callable[[], object], wake: Wake) -> bool:
    """Whether a call that waits in another thread raises `Abandoned` once the wake is set."""
    outcome: list[bool] = []

    def run() -> None:
        try:
            call()
        except Abandoned:
            outcome.append(True)
        else:
            outcome.append(False)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(0.05)
    assert thread.is_alive(), "it does not wait"
    wake.set()
    thread.join(10)
    return outcome == [True]


WAITS: dict[str, Callable[[CancellableSocket], object]] = {
    "recv": lambda s: s.recv(10),
    "recv_into": lambda s: s.recv_into(bytearray(10)),
    "recvfrom": lambda s: s.recvfrom(10),
    "recvfrom_into": lambda s: s.recvfrom_into(bytearray(10)),
    "recvmsg": lambda s: s.recvmsg(10),
    "recvmsg_into": lambda s: s.recvmsg_into([bytearray(10)]),
    "sendall": lambda s: s.sendall(bytes(1 << 26)),
    "makefile": lambda s: s.makefile("rb").readline(),
}


@pytest.mark.parametrize("name", WAITS)
@pytest.mark.parametrize("timeout", [None, 30.0])
def test_waiting_can_be_abandoned(
    name: str, timeout: float | None, pair: tuple[CancellableSocket, socket.socket], wake: Wake
) -> None:
    pair[0].settimeout(timeout)
    assert abandoned(lambda: WAITS[name](pair[0]), wake)


def test_the_connection_survives_and_the_late_answer_can_be_read(
    pair: tuple[CancellableSocket, socket.socket], wake: Wake
) -> None:
    ours, theirs = pair
    assert abandoned(lambda: ours.recv(10), wake)
    wake.clear()
    theirs.sendall(b"late")
    assert ours.recv(10) == b"late"
    assert ours.received == 4


def test_the_length_of_each_read_is_kept_but_not_of_a_look(pair: tuple[CancellableSocket, socket.socket]) -> None:
    ours, theirs = pair
    theirs.sendall(b"Hello world")
    assert ours.recv(100, socket.MSG_PEEK)
    buffer = bytearray(4)
    assert (ours.recv(5), ours.recv_into(buffer), ours.recv_into(buffer)) == (b"Hello", 4, 2)
    assert ours.reads == [5, 4, 2]


def test_very_many_reads_are_not_kept(pair: tuple[CancellableSocket, socket.socket]) -> None:
    ours, theirs = pair
    theirs.sendall(bytes(MOST_READS + 1))
    for _ in range(MOST_READS):
        ours.recv(1)
    assert ours.reads == [1] * MOST_READS
    ours.recv(1)
    assert ours.reads is None


def test_accept_can_be_abandoned(wake: Wake) -> None:
    with CancellableSocket(socket.AF_INET, socket.SOCK_STREAM, wake=wake) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert abandoned(listener.accept, wake)


def test_large_sends_arrive_whole_and_a_read_of_nothing_is_the_end(
    pair: tuple[CancellableSocket, socket.socket],
) -> None:
    ours, theirs = pair
    sent = bytes(range(256)) * 4096 * 4
    got = bytearray()

    def read() -> None:
        while piece := theirs.recv(1 << 16):
            got.extend(piece)
        theirs.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=read)
    thread.start()
    ours.sendall(sent)
    ours.shutdown(socket.SHUT_WR)
    thread.join(10)
    assert got == sent
    assert not ours.ended
    assert ours.recv(10) == b""
    assert ours.ended


def test_timeouts_are_the_sockets_own(pair: tuple[CancellableSocket, socket.socket]) -> None:
    ours, _ = pair
    ours.settimeout(0.03)
    assert ours.gettimeout() == ours.timeout == 0.03
    before = time.monotonic()
    with pytest.raises(TimeoutError, match="timed out"):
        ours.recv(1)
    assert time.monotonic() - before >= 0.03
    ours.setblocking(False)
    assert not ours.getblocking()
    with pytest.raises(BlockingIOError):
        ours.recv(1)


def test_a_refused_connection_is_refused_as_ever(wake: Wake) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
    with CancellableSocket(socket.AF_INET, socket.SOCK_STREAM, wake=wake) as ours:
        with pytest.raises(ConnectionRefusedError) as raised:
            ours.connect(address)
        assert raised.value.errno == errno.ECONNREFUSED
        assert ours.connect_ex(address) in (errno.ECONNREFUSED, errno.ECONNABORTED)


def test_datagrams_too(wake: Wake) -> None:
    with (
        CancellableSocket(socket.AF_INET, socket.SOCK_DGRAM, wake=wake) as ours,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as theirs,
    ):
        theirs.bind(("127.0.0.1", 0))
        assert ours.sendto(b"what time", theirs.getsockname()) == 9
        data, address = theirs.recvfrom(100)
        theirs.sendto(data, address)
        assert ours.recvfrom(100) == (b"what time", theirs.getsockname())
        assert not ours.ended
        assert abandoned(lambda: ours.recvfrom(100), wake)


def test_it_remembers_what_was_detached(pair: tuple[CancellableSocket, socket.socket]) -> None:
    ours, _ = pair
    fd = ours.fileno()
    with socket.socket(fileno=ours.detach()):
        assert ours.detached is not None
        assert ours.detached[0] == fd


def test_a_wake_is_seen_by_poll_and_set_twice_is_set_once() -> None:
    wake = Wake()
    watch = select.poll()
    watch.register(wake, select.POLLIN)
    wake.set()
    wake.set()
    assert watch.poll(0)
    wake.clear()
    wake.clear()
    assert not watch.poll(0)
    assert wait_until(lambda: not wake.is_set())


def test_a_call_is_abandoned_also_where_data_always_waits(
    pair: tuple[CancellableSocket, socket.socket], wake: Wake
) -> None:
    ours, theirs = pair
    theirs.sendall(b"there already")
    wake.set()
    with pytest.raises(Abandoned):
        ours.recv(5)
    wake.clear()
    assert ours.recv(100) == b"there already"
