"""Which of the person's processes hold a socket, with real processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from netlab.kernel.holders import descendants, holders, own_processes, process

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")

WITH_CHILD = """
import os, sys, threading
if child := os.fork():
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    print(child, flush=True)
    sys.stdin.read()  # to the end
else:
    os.setsid()
    os.read(0, 1)  # the same end
"""


@contextmanager
def parent_and_child(listener: socket.socket) -> Iterator[tuple[int, int]]:
    """Two processes that hold the listener beside this one; the second left its parent's session."""
    running = subprocess.Popen(
        [sys.executable, "-c", WITH_CHILD],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, pass_fds=[listener.fileno()],
    )  # fmt: skip
    with running:
        assert running.stdin is not None
        assert running.stdout is not None
        yield running.pid, int(running.stdout.readline())
        running.stdin.close()


def inode(listener: socket.socket) -> int:
    return os.fstat(listener.fileno()).st_ino


def test_every_process_that_holds_a_listener_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, parent_and_child(listener) as (parent, child):
        found = holders([inode(listener), 0, 1])
        assert set(found.of[inode(listener)]) == {os.getpid(), parent, child}
        assert 1 in found.of and 0 not in found.of, "no inode is no socket"
        assert holders([inode(listener)], among=[child]).of == {inode(listener): (child,)}
        assert {parent, child} <= set(own_processes())
        assert not holders([inode(listener)], seconds=-1).complete


def test_descendants_are_found_though_they_left_their_session() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, parent_and_child(listener) as (parent, child):
        assert descendants(parent) == {parent, child}
        assert {parent, child} <= descendants(os.getpid())
        known = process(parent)
        assert known is not None
        assert (known.pid, known.name.startswith("python"), known.threads) == (parent, True, 2)
    assert descendants(parent) == frozenset()
    assert process(parent) is None
    assert holders([5], among=[parent]).of == {5: ()}
