"""The app in a real pseudo-terminal, for tests of what it leaves behind and of what a terminal may do to it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.folders import ROOT
from tests.support.forking.process import APP, started
from tests.support.waiting import PATIENCE


class Terminal:
    """A pseudo-terminal in which the app runs; what it wrote is in ``written``."""

    def __init__(
        self,
        temp: Path,
        *words: str,
        start: Callable[..., subprocess.Popen[bytes]] = started,
        module: str = APP,
        controlling: bool = False,
        stdin: int | None = None,
        **environment: str,
    ) -> None:
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        self.written = bytearray()
        env = {**os.environ, "TERM": "xterm-256color", "TMPDIR": str(temp), "PYTHONPATH": str(ROOT), **environment}
        self.process = start(
            module, *words, stdin=self.slave if stdin is None else stdin, stdout=self.slave, stderr=self.slave,
            env=env, start_new_session=True, controlling=controlling,
        )  # fmt: skip

    def read(self) -> None:
        while select.select([self.master], [], [], 0.02)[0]:
            with contextlib.suppress(OSError):
                self.written += os.read(self.master, 65536)

    def until(self, condition: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
        deadline = time.monotonic() + patience
        while not condition():
            assert time.monotonic() < deadline, f"never {what}: {bytes(self.written[-2000:])!r}"
            self.read()
        self.read()

    def ended(self) -> int:
        self.until(lambda: self.process.poll() is not None, "ended")
        return self.process.returncode

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for end in (self.master, self.slave):
            with contextlib.suppress(OSError):  # hung up
                os.close(end)

    def hang_up(self) -> None:
        os.close(self.slave)
        os.close(self.master)


def children_of(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(stat.parent.name))
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def serving(terminal: Terminal) -> list[int]:
    """Wait until it serves; its children."""
    terminal.until(lambda: b"serving" in terminal.written, "served")
    children = children_of(terminal.process.pid)
    assert len(children) == 2
    return children


def nothing_is_left(terminal: Terminal, children: list[int], temp: Path) -> None:
    assert b"\x1b[?1049h" in terminal.written
    assert terminal.written.rindex(b"\x1b[?1049l") > terminal.written.rindex(b"\x1b[?1049h"), "the screen is given back"
    assert terminal.written.rindex(b"\x1b[?1003l") > terminal.written.rindex(b"\x1b[?1003h"), "so is the mouse"
    assert terminal.written.rindex(b"\x1b[?25h") > terminal.written.rindex(b"\x1b[?25l"), "and the cursor"
    assert termios.tcgetattr(terminal.slave) == terminal.before
    assert not [pid for pid in children if alive(pid)]
    assert list(temp.iterdir()) == []
