"""What a server writes to standard output: lines for a person, or JSON for a supervisor. It never waits for a reader.

If nobody reads, lines are lost and counted.
"""

from __future__ import annotations

import json
import logging
import mmap
import os
import select
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_address

from netlab.dissect.text import safe
from netlab.hardening.events import ACCEPTED, CLOSED, DROPPED, REFUSED
from netlab.serve.listeners import addresses_of
from netlab.topics.contract import Server, Topic

PATIENCE = 0.5
"""Seconds that a full pipe may take to be read before lines are lost."""
LONGEST_TEXT = 700
"""Characters of a log line: with four bytes each it still fits PIPE_BUF, so that writing it is atomic (pipe(7))."""

LONGEST_REASON = 200
LONGEST_ADDRESS = 80
EVENTS = {ACCEPTED: "accepted", CLOSED: "closed", DROPPED: "dropped", REFUSED: "refused"}

Report = Mapping[str, object]


class Lines(logging.Handler):
    """What a person reads: ``listening on``, then the log with times, each line in one write."""

    def __init__(self) -> None:
        super().__init__()
        self.lost = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("q")[:1]  # a number shared with forked children

    def attach(self) -> None:
        """Take all log records of this process, and exceptions that nobody caught, one line each."""
        root = logging.getLogger()
        root.addHandler(self)
        root.setLevel(logging.INFO)
        sys.unraisablehook = lambda missed: root.error("ignored: %r", missed.exc_value)
        threading.excepthook = lambda missed: root.error("a thread ended: %r", missed.exc_value)

    def listening(self, server: Server) -> None:
        """Say where; warn if other machines can reach it."""
        addresses = addresses_of(server)
        for address in addresses:
            self.write(f"listening on {address}")
        for host, _ in addresses:
            if not (host.startswith("127.") or host == "::1"):
                logging.getLogger(__name__).warning("%s is not loopback: other machines can reach this server", host)

    def failed(self, topic: Topic, number: int | None, text: str) -> None:
        """Say why the server could not start."""
        sys.stderr.write(f"netlab serve: {safe(text)}\n")

    def emit(self, record: logging.LogRecord) -> None:
        """Write a log record as a line; what peers sent is made safe for the screen."""
        level = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()}: "
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        self.write(f"{clock} {level}{self.text(record)}")

    def text(self, record: logging.LogRecord) -> str:
        """A record's message, safe for the screen and not too long."""
        message = record.getMessage()
        return safe(message if len(message) <= LONGEST_TEXT else message[: LONGEST_TEXT - 1] + "…")

    def write(self, line: str) -> bool:
        """Write a line to standard output, or count it as lost: the server goes on if nobody reads."""
        if self.lost[0] and writable(0):
            lost, self.lost[0] = self.lost[0], 0
            put(self.remark(f"{lost:,} lines were lost because nobody read them"))
        if not writable(0 if self.lost[0] else PATIENCE):
            self.lost[0] += 1
            return False
        put(line)
        return True

    def remark(self, text: str) -> str:
        """A line about the log itself."""
        return f"{time.strftime('%H:%M:%S')} warning: {text}"


class Reports(Lines):
    """What a supervisor reads: an event per line, as JSON."""

    def listening(self, server: Server) -> None:
        """Report the address and the process."""
        host, port = server.server_address[:2]
        self.report({"event": "listening", "host": host, "port": port, "pid": os.getpid()})

    def failed(self, topic: Topic, number: int | None, text: str) -> None:
        """Report why the server could not start."""
        self.report({"event": "failed", "errno": number, "text": text})

    def emit(self, record: logging.LogRecord) -> None:
        """Report a log record."""
        level = "info" if record.levelno <= logging.INFO else "warning" if record.levelno < logging.ERROR else "error"
        said = {"time_ns": int(record.created * 1e9), "level": level, "text": self.text(record)}
        self.report({"event": "log", **said, **_about(record)})

    def remark(self, text: str) -> str:
        """A line about the log itself, as a report."""
        return json.dumps({"event": "log", "time_ns": time.time_ns(), "level": "warning", "text": text})

    def report(self, event: Report) -> bool:
        """Write an event by one ``os.write``: signal handlers, threads and forked children do not mix their lines."""
        return self.write(json.dumps(event, ensure_ascii=False))


def _about(record: logging.LogRecord) -> Report:
    """Which client a record is about, and what it says of it, as `netlab.hardening.events` declares.

    A record about a client has the client's address as its first argument.
    """
    peer = _peer(record.args[0]) if isinstance(record.args, tuple) and record.args else {}
    what = EVENTS.get(str(record.msg))
    if not peer or what is None:
        return peer
    assert isinstance(record.args, tuple)
    why = {"reason": safe(str(record.args[1]))[:LONGEST_REASON]} if len(record.args) > 1 else {}
    return {"event": what, **peer, **why}


def _peer(argument: object) -> Report:
    """Host and port of an address; nothing if it is not an address."""
    host, _, port = str(argument)[:LONGEST_ADDRESS].rpartition(":")
    try:
        return {"host": str(ip_address(host.strip("[]"))), "port": int(port)} if port.isdecimal() else {}
    except ValueError:
        return {}


def writable(patience: float) -> bool:
    """Whether standard output takes a line now, or soon. Of a pipe that means `PIPE_BUF`, more than a line has."""
    try:
        return bool(select.select([], [1], [], patience)[1])
    except OSError:
        return True  # writing shows why


def put(line: str) -> None:
    """Write a line in one piece; nothing happens if the other end is closed."""
    with suppress(OSError):
        os.write(1, (line + "\n").encode(errors="backslashreplace"))
