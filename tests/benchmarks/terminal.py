"""A program in a pseudo-terminal, timed from outside: what the benchmarks of the screen share.

Only the standard library: what is measured is the time until the program's bytes hold a text, not a terminal's drawing.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ESCAPES = re.compile(rb"\x1b\[[0-9;?<>=$]*[a-zA-Z]|\x1b[PX^_\]].*?(?:\x1b\\|\x07)|\x1b.", re.DOTALL)


class Terminal:
    """A command on a pty of 120×40."""

    def __init__(self, command: Sequence[str], columns: int = 120, rows: int = 40) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
        )
        os.close(slave)
        self.received = bytearray()

    def read(self, seconds: float) -> bool:
        """Take what comes within this time; False if nothing did."""
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        try:
            self.received += os.read(self.master, 1 << 16)
        except OSError:
            return False
        return True

    def until(self, text: str, seconds: float = 20.0) -> float:
        """Seconds since `began` when the text has been written, escape sequences left out."""
        wanted = text.encode()
        return self.wait(lambda: wanted in ESCAPES.sub(b"", bytes(self.received)), repr(text), seconds)

    def wait(self, condition: Callable[[], bool], what: str, seconds: float = 20.0) -> float:
        """Seconds since `began` when the condition holds."""
        deadline = time.perf_counter() + seconds
        while not condition():
            if time.perf_counter() > deadline:
                raise TimeoutError(f"{what} never came; last: {ESCAPES.sub(b'', bytes(self.received))[-400:]!r}")
            self.read(0.5)
        return time.perf_counter() - self.began

    def settle(self, quiet: float = 0.3, most: float = 5.0) -> None:
        """Read until nothing has come for a while, or it never ends."""
        deadline = time.perf_counter() + most
        while self.read(quiet) and time.perf_counter() < deadline:
            pass
        self.received.clear()

    def key(self, keys: str) -> float:
        """Seconds from the key to the first byte of what it painted."""
        self.received.clear()
        began = time.perf_counter()
        os.write(self.master, keys.encode())
        while not self.received:
            if time.perf_counter() - began > 10:
                raise TimeoutError(f"the key {keys!r} painted nothing")
            self.read(1.0)
        return time.perf_counter() - began

    def resident(self) -> float:
        """The program's resident memory in MiB, without its children's (Linux)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024

    def memory(self, *, children: bool = False) -> tuple[float, float]:
        """Its resident set, and the part of it that it does not owe to others, in MiB; with its children's (Linux)."""
        task = Path(f"/proc/{self.process.pid}/task")
        started = [int(pid) for file in task.glob("*/children") for pid in file.read_text().split()]
        texts = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in (self.process.pid, *started[: 99 * children])]
        return tuple(
            sum(int(re.search(rf"^{name}:\s+(\d+)", text, re.M)[1]) for text in texts) / 1024 for name in ("Rss", "Pss")
        )

    def close(self) -> None:
        """End the program as a person would, then for certain."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.master)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share of them lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
