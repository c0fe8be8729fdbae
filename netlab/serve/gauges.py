"""What a server uses, seen from within its process: accept queue, threads, processes. Most needs Linux."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType

from netlab.capture.model import Transport
from netlab.serve.log import Lines, Report
from netlab.serve.shutdown import TICK, Shutdown
from netlab.topics.contract import Server

TASKS = Path("/proc/self/task")


class Gauges:
    """From an interval timer in the main thread, looks at what the server uses, and at standard input.

    A timer's signal and not a thread: ``forking`` must not fork a process that has a second thread, and a Python
    signal handler always runs in the main thread, between two of its instructions. So it takes no lock.
    """

    def __init__(
        self,
        server: Server,
        transport: Transport,
        out: Lines,
        ending: Shutdown,
        hear: Callable[[bytes], None],
        then: Callable[[FrameType | None], None],
    ) -> None:
        """``hear`` is called with each line of standard input; ``then`` after each look, with what it interrupted."""
        self.hear, self.then = hear, then
        self.server = server
        self.ending = ending
        self.stream = transport is Transport.TCP
        self.out = out
        self.last: Report = {}

    def start(self) -> None:
        """Look now, and then ten times a second; not on Windows, where no lab runs."""
        if sys.platform != "win32":
            signal.signal(signal.SIGALRM, self.look)
            signal.setitimer(signal.ITIMER_REAL, TICK / 10, TICK)

    def look(self, number: int, frame: FrameType | None) -> None:
        """Report gauges that changed; stop at the end of standard input."""
        queue, backlog = accept_queue(self.server.socket) if self.stream else (None, None)
        children = getattr(self.server, "active_children", None) or ()  # as socketserver.ForkingMixIn names them
        gauges = {"queue": queue, "backlog": backlog, "threads": thread_count(), "processes": 1 + len(children)}
        if gauges != self.last and self.out.write(json.dumps({"event": "gauges", **gauges})):
            self.last = gauges
        lines = requests()
        if lines is None:
            self.ending.stop(number, frame)
        for line in lines or ():
            self.hear(line)
        self.then(frame)


def requests() -> list[bytes] | None:
    """The lines that wait on standard input, each written in one piece; None at its end, or if it was never open."""
    try:
        if not select.select([0], [], [], 0)[0]:
            return []
        return os.read(0, 65536).splitlines() or None
    except OSError:
        return None


def accept_queue(listener: socket.socket) -> tuple[int | None, int | None]:
    """How many connections wait to be accepted, and how many may; (None, None) if the kernel does not report it.

    For a listening socket Linux puts both into tcpi_unacked and tcpi_sacked (net/ipv4/tcp.c, tcp_get_info).
    """
    if sys.platform == "linux":
        with suppress(OSError):  # closed
            info = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 32)
            return int.from_bytes(info[24:28], sys.byteorder), int.from_bytes(info[28:32], sys.byteorder)
    return None, None


def thread_count() -> int | None:
    """Threads of this process, by the link count of their folder; None if there is no such folder.

    `threading.active_count` takes a lock, which the interrupted main thread may hold.
    """
    with suppress(OSError):
        return TASKS.stat().st_nlink - 2
    return None
