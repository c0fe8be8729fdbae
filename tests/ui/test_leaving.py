"""However the app is left, the terminal is as before and nothing of it remains. In a real pseudo-terminal."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
APP = [sys.executable, "-m", "tests.ui.run_app"]
PATIENCE = 20.0

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="children are looked up in /proc")


class Terminal:
    """A pseudo-terminal in which the app runs; what it wrote is in ``written``."""

    def __init__(self, temp: Path, **environment: str) -> None:
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        self.written = bytearray()
        env = {**os.environ, "TERM": "xterm-256color", "TMPDIR": str(temp), "PYTHONPATH": str(ROOT), **environment}
        self.process = subprocess.Popen(
            APP, stdin=self.slave, stdout=self.slave, stderr=self.slave, env=env, start_new_session=True
        )

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


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    temp = tmp_path / "temp"
    temp.mkdir()
    terminal = Terminal(temp)
    yield terminal
    terminal.close()


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


def test_ctrl_q_leaves_nothing(terminal: Terminal, tmp_path: Path) -> None:
    children = serving(terminal)
    os.write(terminal.master, b"\x11")
    assert terminal.ended() == 0
    nothing_is_left(terminal, children, tmp_path / "temp")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_leaves_nothing(terminal: Terminal, tmp_path: Path, number: signal.Signals) -> None:
    children = serving(terminal)
    terminal.process.send_signal(number)
    assert terminal.ended() == 128 + number
    nothing_is_left(terminal, children, tmp_path / "temp")


def test_a_terminal_that_goes_away_leaves_nothing(terminal: Terminal, tmp_path: Path) -> None:
    children = serving(terminal)  # it is not the terminal that controls them: no SIGHUP will come
    terminal.hang_up()
    assert terminal.process.wait(PATIENCE) == 128 + signal.SIGHUP
    assert not [pid for pid in children if alive(pid)]
    assert list((tmp_path / "temp").iterdir()) == []


def test_a_signal_before_the_first_paint_leaves_nothing(terminal: Terminal, tmp_path: Path) -> None:
    terminal.until(lambda: children_of(terminal.process.pid), "had a child")
    children = children_of(terminal.process.pid)
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.ended() == 143
    assert termios.tcgetattr(terminal.slave) == terminal.before
    terminal.until(lambda: not [pid for pid in children if alive(pid)], "left no child", 2)
    assert list((tmp_path / "temp").iterdir()) == []


def test_a_crash_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "temp").mkdir()
    terminal = Terminal(tmp_path / "temp", NETLAB_TEST_CRASH="1")
    try:
        assert terminal.ended() == 1
        terminal.read()
        assert b"a crash on purpose" in terminal.written
        nothing_is_left(terminal, children_of(terminal.process.pid), tmp_path / "temp")
    finally:
        terminal.close()


def test_kill_9_leaves_no_process(terminal: Terminal) -> None:
    children = serving(terminal)
    terminal.process.kill()
    terminal.ended()
    terminal.until(lambda: not [pid for pid in children if alive(pid)], "left no child", 2)


def test_without_a_terminal_it_says_so() -> None:
    done = subprocess.run(APP, input="", capture_output=True, text=True, cwd=ROOT, timeout=PATIENCE, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("netlab needs a terminal")
    assert done.stderr.count("\n") == 1


def test_an_unknown_topic_is_refused() -> None:
    master, slave = pty.openpty()
    done = subprocess.run(
        [*APP, "nonsense"], stdin=slave, stdout=slave, stderr=slave, cwd=ROOT, timeout=PATIENCE, check=False
    )
    told = os.read(master, 4096).decode()
    os.close(master)
    os.close(slave)
    assert done.returncode == 2
    assert "no topic 'nonsense'" in told
