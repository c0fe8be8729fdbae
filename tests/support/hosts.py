"""A hosts file of the test's own, and netlab as a child process that reads it."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from netlab.capture.model import Endpoint
from netlab.names import parse_address
from tests.support.folders import ROOT, TESTS
from tests.support.forking import process
from tests.support.waiting import PATIENCE

NAME = "lab.test"
ORDERS = {"IPv6 first": ("::1", "127.0.0.1"), "IPv4 first": ("127.0.0.1", "::1")}


def environment(folder: Path, *addresses: str) -> dict[str, str]:
    """The environment of a child for which `NAME` has these addresses, in this order."""
    hosts = folder / "hosts"
    hosts.write_text("".join(f"{address} {NAME}\n" for address in addresses), "ascii")
    path = os.pathsep.join([str(TESTS / "support" / "child"), str(ROOT)])
    return {**os.environ, "TEST_HOSTS": str(hosts), "PYTHONPATH": path, "NETLAB_CERTIFICATES": str(folder / "certs")}


class Child:
    """A command of netlab; ``listening`` is where it said that it listens."""

    def __init__(self, arguments: tuple[str, ...], env: dict[str, str], count: int) -> None:
        self.process = process.netlab(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
        self._rest = b""
        self.listening = [self._listening() for _ in range(count)]

    def _listening(self) -> Endpoint:
        line = self.line()
        while not line.startswith("listening on "):
            line = self.line()
        return parse_address(line.split()[2])

    def line(self) -> str:
        """The next line of its output; fails where none comes."""
        assert self.process.stdout is not None
        deadline = time.monotonic() + PATIENCE
        while b"\n" not in self._rest:
            left = max(deadline - time.monotonic(), 0)
            got = (
                os.read(self.process.stdout.fileno(), 4096)
                if select.select([self.process.stdout], [], [], left)[0]
                else b""
            )
            assert got, f"no line came; {self._rest!r}"
            self._rest += got
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode()

    def end(self) -> tuple[str, str]:
        """Ask it to end; the rest of its output, and its errors."""
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == 0, err
        return (self._rest + out).decode(), err.decode()


@contextlib.contextmanager
def netlab(*arguments: str, env: dict[str, str], count: int = 1) -> Iterator[Child]:
    """The command while it runs, once it listens at ``count`` addresses."""
    child = Child(arguments, env, count)
    try:
        yield child
    finally:
        child.process.kill()
        child.process.communicate()


def call(*arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """``netlab call`` from its beginning to its end."""
    return process.run_netlab("call", *arguments, env=env, timeout=PATIENCE)
