"""A topic's server as a person starts it: ``netlab serve`` in a process of its own."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.support.forking.process import netlab
from tests.support.waiting import PATIENCE, wait_until


class Serving:
    """A running ``netlab serve``: its process, its address, and its output by line as it comes.

    ``python`` are options of the Python in which it is started.
    """

    def __init__(self, arguments: Sequence[str], python: Sequence[str] = (), stderr: int | None = None) -> None:
        words = ["serve", *arguments, "--port", "0"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": stderr}
        options: dict[str, Any] = {"text": True, "process_group": 0, **pipes}
        if python:
            self.process = subprocess.Popen([sys.executable, *python, "-m", "netlab", *words], **options)
        else:
            self.process = netlab(*words, **options)
        self.lines: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()
        wait_until(lambda: bool(self.lines) or self.process.poll() is not None, "a first line")
        assert self.lines, f"netlab serve {arguments} ended with {self.process.wait()}"

    def _read(self) -> None:
        assert self.process.stdout is not None
        with contextlib.suppress(ValueError):  # closed at the end of the test, while a child of the server has it open
            for line in self.process.stdout:
                self.lines.append(line.rstrip("\n"))

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.lines[0].removeprefix("listening on ").rpartition(":")
        return host.strip("[]"), int(port)

    def wait_for(self, text: str) -> None:
        try:
            wait_until(lambda: any(text in line for line in tuple(self.lines)))
        except AssertionError:
            raise AssertionError(f"never {text!r} in {self.lines}") from None

    def connect(self, timeout: float = PATIENCE) -> socket.socket:
        return socket.create_connection(self.address, timeout)

    def terminate(self) -> int:
        """Send SIGTERM; the exit status."""
        self.process.terminate()
        return self.process.wait(PATIENCE)


@contextlib.contextmanager
def serving(*arguments: str, python: Sequence[str] = (), stderr: int | None = None) -> Iterator[Serving]:
    """A server that ends with the block, if it has not before."""
    child = Serving(arguments, python, stderr)
    try:
        yield child
    finally:
        if child.process.poll() is None:
            child.terminate()
        for stream in (child.process.stdin, child.process.stdout):
            if stream is not None:
                stream.close()


def descendants(pid: int) -> set[int]:
    """Child processes of a process, and theirs. Linux only; elsewhere none are seen."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found: set[int] = set()
    more = {pid}
    while more := {child for child, parent in parents.items() if parent in more} - found:
        found |= more
    return found


def take_part_again(pid: int) -> None:
    """Let a process that runs only on an idle processor run as others do: on a busy machine it would hardly end."""
    if hasattr(os, "sched_setscheduler"):
        os.sched_setscheduler(pid, os.SCHED_OTHER, os.sched_param(0))
