"""However the app is left, the terminal is as before and nothing of it remains. In a real pseudo-terminal."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.forking.process import APP, started, started_anew
from tests.support.screen.in_terminal import Terminal, alive, children_of, nothing_is_left, serving
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="children are looked up in /proc")


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    temp = tmp_path / "temp"
    temp.mkdir()
    terminal = Terminal(temp)
    yield terminal
    terminal.close()


@pytest.fixture
def started_terminal(tmp_path: Path) -> Iterator[Terminal]:
    """The app in a Python of its own, which imports it: its start is looked at."""
    temp = tmp_path / "temp"
    temp.mkdir()
    terminal = Terminal(temp, start=started_anew)
    yield terminal
    terminal.close()


def test_the_children_that_serve_first_go_on_serving(started_terminal: Terminal) -> None:
    terminal = started_terminal
    children = serving(terminal)
    terminal.until(lambda: "tcp ❯".encode() in terminal.written, "had its panes")
    os.write(terminal.master, b"Hello\r")
    terminal.until(lambda: b"recv(8192)" in terminal.written, "answered")
    assert children_of(terminal.process.pid) == children


def test_ctrl_q_leaves_nothing(started_terminal: Terminal, tmp_path: Path) -> None:
    terminal = started_terminal
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


def test_a_signal_before_the_first_paint_leaves_nothing(started_terminal: Terminal, tmp_path: Path) -> None:
    terminal = started_terminal
    terminal.until(lambda: children_of(terminal.process.pid), "had a child")
    children = children_of(terminal.process.pid)
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.ended() == 143
    assert termios.tcgetattr(terminal.slave) == terminal.before
    terminal.until(lambda: not [pid for pid in children if alive(pid)], "left no child", 2)
    assert list((tmp_path / "temp").iterdir()) == []


@pytest.mark.parametrize(
    "where",
    [
        "netlab.ui.tab.tab:TopicTab:look",
        "netlab.ui.terminal.terminal_input:TerminalInput:feed",  # a thread of the screen's own
        "netlab.lab.processes.server_process:ServerProcess:_log",  # a thread of the lab's
    ],
)
def test_a_crash_is_told_and_leaves_nothing(tmp_path: Path, where: str) -> None:
    (tmp_path / "temp").mkdir()
    terminal = Terminal(tmp_path / "temp", NETLAB_TEST_CRASH=where)
    try:
        if "TopicTab" not in where:  # it crashes before it serves
            terminal.until(lambda: b"serving" in terminal.written, "served")
            os.write(terminal.master, b"Hello\r")
        if "server" in where:
            terminal.until(lambda: b"recv(8192)" in terminal.written, "answered")
            os.write(terminal.master, b"\x11")
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
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with started(APP, text=True, **pipes) as app:
        out, err = app.communicate("", PATIENCE)
    assert app.returncode == 2
    assert out == ""
    assert err.startswith("netlab needs a terminal")
    assert err.count("\n") == 1


def test_an_unknown_topic_is_refused() -> None:
    master, slave = pty.openpty()
    with started(APP, "nonsense", stdin=slave, stdout=slave, stderr=slave) as app:
        assert app.wait(PATIENCE) == 2
    told = os.read(master, 4096).decode()
    os.close(master)
    os.close(slave)
    assert "no topic 'nonsense'" in told
