"""The clock by which clients are waited for, and sockets that keep to it. Real sockets; short times."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from netlab.hardening.clients import UNREAD, ClientSocket
from netlab.hardening.events import Refused
from netlab.hardening.patience import NO_LIMIT, Deadline, Patience
from netlab.hardening.receiving import LONGEST_LINE, LineReader, recv_exactly
from tests.support.waiting import PATIENCE, wait_until

Pair = tuple[socket.socket, ClientSocket]


@pytest.fixture
def patience() -> Patience:
    return Patience(0.2)


@pytest.fixture
def pair(patience: Patience) -> Iterator[Pair]:
    theirs, ours = socket.socketpair()
    theirs.settimeout(PATIENCE)
    with theirs, ClientSocket.of(ours, patience) as client:
        yield theirs, client


def test_the_clock_stands_still_while_it_is_held(patience: Patience) -> None:
    deadline = Deadline(patience)
    patience.hold()
    before = patience.now()
    until = time.monotonic() + 0.3
    wait_until(lambda: time.monotonic() > until)
    assert patience.now() == before
    assert deadline.left() > 0
    patience.hold()  # twice is once
    patience.release()
    assert 0 < deadline.left() <= 0.2
    wait_until(lambda: _over(deadline))


def _over(deadline: Deadline) -> bool:
    try:
        return deadline.left() <= 0
    except TimeoutError:
        return True


def test_a_new_limit_holds_for_those_who_wait_already(patience: Patience) -> None:
    deadline = Deadline(patience, most=50.0)
    patience.seconds = 100.0
    assert 40 < deadline.left() <= 50
    patience.seconds = float("inf")
    assert patience.seconds == NO_LIMIT


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no os.fork here")
def test_forked_children_share_it(patience: Patience) -> None:
    pid = os.fork()
    if pid == 0:
        patience.hold()
        patience.seconds = 7.0
        os._exit(0)
    os.waitpid(pid, 0)
    assert patience.seconds == 7.0
    assert patience.runs_for() == 0


def test_silence_ends_a_wait_and_says_for_how_long(pair: Pair) -> None:
    _, client = pair
    for receive in (lambda: client.recv(1), lambda: client.recv_into(bytearray(1))):
        with pytest.raises(TimeoutError, match=r"^silent for 0\.2 s$"):
            receive()


def test_a_hold_that_begins_while_it_waits_lets_it_wait(pair: Pair, patience: Patience) -> None:
    theirs, client = pair
    got: list[bytes] = []
    thread = threading.Thread(target=lambda: got.append(client.recv(5)), daemon=True)
    thread.start()
    patience.hold()
    until = time.monotonic() + 0.6
    wait_until(lambda: time.monotonic() > until)
    theirs.sendall(b"Hello")
    thread.join(PATIENCE)
    assert got == [b"Hello"]


def test_a_client_that_does_not_read_ends_sendall_in_time(pair: Pair) -> None:
    began = time.monotonic()
    with pytest.raises(TimeoutError, match=UNREAD):
        pair[1].sendall(bytes(64 << 20))
    assert time.monotonic() - began < PATIENCE


def test_a_slow_reader_gets_all_of_it(pair: Pair, patience: Patience) -> None:
    theirs, client = pair
    patience.seconds = PATIENCE
    sent = os.urandom(3 << 20)
    thread = threading.Thread(target=client.sendall, args=(sent,), daemon=True)
    thread.start()
    received = b""
    while len(received) < len(sent):
        received += theirs.recv(100_000)
    thread.join(PATIENCE)
    assert received == sent


def test_exactly_so_many_bytes_and_fewer_at_the_end(pair: Pair, patience: Patience) -> None:
    theirs, client = pair
    theirs.sendall(b"HelloWorld!")
    assert recv_exactly(client, 5, Deadline(patience)) == b"Hello"
    theirs.shutdown(socket.SHUT_WR)
    assert recv_exactly(client, 100, Deadline(patience)) == b"World!"


def test_a_line_must_come_to_its_end_in_time_however_slowly_it_drips(pair: Pair, patience: Patience) -> None:
    theirs, client = pair
    patience.seconds = 0.5
    reader = LineReader(client)
    theirs.sendall(b"one\ntwo\nthr")
    assert [reader.read_line(), reader.read_line()] == [b"one\n", b"two\n"]
    with pytest.raises(TimeoutError, match=r"no whole line within 0\.5 s"):
        reader.read_line()


def test_a_line_without_an_end_is_refused(pair: Pair, patience: Patience) -> None:
    theirs, client = pair
    patience.seconds = PATIENCE
    threading.Thread(target=theirs.sendall, args=(b"x" * (LONGEST_LINE + 2),), daemon=True).start()
    with pytest.raises(Refused, match="a line of more than"):
        LineReader(client).read_line()


@pytest.mark.skipif(sys.platform == "win32", reason="no interval timers there")
def test_it_keeps_time_where_a_timer_interrupts_each_wait() -> None:
    import signal

    before = signal.signal(signal.SIGALRM, lambda number, frame: None)
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    try:
        theirs, ours = socket.socketpair()
        with theirs, ClientSocket.of(ours, Patience(0.3)) as client, pytest.raises(TimeoutError, match="silent for"):
            client.recv(1)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(sys.platform == "win32", reason="no interval timers there")
def test_the_kernel_limits_waits_in_a_thread_that_gets_no_timers_signals(pair: Pair) -> None:
    import signal

    _, client = pair
    before = signal.signal(signal.SIGALRM, lambda number, frame: None)
    signal.setitimer(signal.ITIMER_REAL, 60.0)
    try:
        client.limit_waits()
        assert client.gettimeout() == 0.2
        thread = threading.Thread(target=client.limit_waits)
        thread.start()
        thread.join(PATIENCE)
        assert client.gettimeout() is None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
