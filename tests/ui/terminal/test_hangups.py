"""The app never outlives its terminal: two hundred hang-ups, from its first moment on. In real pseudo-terminals.

The kernel sends SIGHUP and SIGCONT together when a terminal goes away; here SIGCONT comes once more, a little later.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import random
import select
import signal
import struct
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.folders import ROOT
from tests.support.forking.process import APP, started, started_anew

TOGETHER = 8
PATIENCE = 60.0
ENDS_WITHIN = 10.0
"""Seconds; 3 where nothing else runs."""

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="what is left is looked up in /proc")


class Doomed:
    """The app in a terminal that controls it, and that goes away after ``lifetime`` seconds."""

    def __init__(self, folder: Path, anew: bool, lifetime: float, until_continued: float) -> None:
        folder.mkdir()
        self.mark = f"NETLAB_TEST_MARK={folder}"
        self.temp = folder / "temp"
        self.temp.mkdir()
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        name, _, value = self.mark.partition("=")
        environment = {**os.environ, "TERM": "xterm", "TMPDIR": str(self.temp), "PYTHONPATH": str(ROOT), name: value}
        start = started_anew if anew else started
        self.process = start(
            APP, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True, controlling=True
        )
        os.close(slave)
        began = time.monotonic()
        self.hangs_up, self.continues = began + lifetime, began + lifetime + until_continued
        self.hung_up = self.ended = 0.0

    def look(self) -> bool:
        """Do what is due; whether it is over."""
        now = time.monotonic()
        if not self.hung_up and now >= self.hangs_up:
            os.close(self.master)
            self.hung_up = now
        if not self.hung_up:
            while select.select([self.master], [], [], 0)[0]:
                try:
                    os.read(self.master, 65536)
                except OSError:
                    break
        if now >= self.continues:
            self.continues = float("inf")
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGCONT)
        if self.process.poll() is not None:
            self.ended = now
            return self.hung_up > 0
        assert now - max(self.hung_up, self.hangs_up) < PATIENCE, "it outlives its terminal"
        return False

    def close(self) -> None:
        if not self.hung_up:
            os.close(self.master)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def left_of(app: Doomed) -> list[str]:
    """The processes that have its mark in their environment, or that are of its session."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            session = int((entry / "stat").read_text().rpartition(")")[2].split()[3])
            marked = app.mark.encode() in (entry / "environ").read_bytes().split(b"\0")
            if marked or session == app.process.pid:
                found.append(f"{entry.name}: {(entry / 'cmdline').read_bytes()!r}")
    return found


def lives(count: int, seed: int) -> Iterator[tuple[bool, float, float]]:
    """Whether it starts in a Python of its own, when the terminal goes, and how much later SIGCONT comes.

    Half of them are started, and end within the first second, most while they import. The others are forked behind
    their imports.
    """
    random_ = random.Random(seed)
    for number in range(count):
        yield number % 2 == 1, random_.uniform(0.0, 1.0), random_.uniform(0, 0.2)


@pytest.mark.parametrize("seed", range(4))
def test_fifty_hang_ups_leave_nothing(tmp_path: Path, seed: int) -> None:
    waiting = list(enumerate(lives(50, seed)))
    running: list[Doomed] = []
    took: list[float] = []
    try:
        while waiting or running:
            while waiting and len(running) < TOGETHER:
                number, life = waiting.pop()
                running.append(Doomed(tmp_path / str(number), *life))
            time.sleep(0.01)
            for app in [app for app in running if app.look()]:
                running.remove(app)
                app.close()
                took.append(app.ended - app.hung_up)
                nothing_is_left(app)
    finally:
        for app in running:
            app.close()
    assert len(took) == 50
    assert max(took) < ENDS_WITHIN


def nothing_is_left(app: Doomed) -> None:
    """No process, so no port either; no file. Its children may need a moment to notice."""
    deadline = time.monotonic() + PATIENCE
    while left := left_of(app):
        assert time.monotonic() < deadline, left
        time.sleep(0.01)
    made = [*app.temp.iterdir(), *Path("/dev/shm").glob(f"netlab-{app.process.pid}-*")]
    assert made == []
