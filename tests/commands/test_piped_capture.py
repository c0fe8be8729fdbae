"""A capture that comes through a pipe, in panes: keys from the terminal, segments as they come, nothing left."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from netlab.commands.captures.piped_capture import PipedCapture
from tests.commands.test_inspect import written
from tests.support.screen.in_terminal import Terminal
from tests.support.waiting import wait_until


def test_a_pipe_is_copied_as_it_comes(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    pipe = PipedCapture(Path("-"), reading, tmp_path)
    assert not pipe.wait(0)
    os.write(writing, b"x" * 24)
    assert pipe.wait(10)
    assert (pipe.file.read_bytes(), pipe.note) == (b"x" * 24, "arriving")
    os.close(writing)
    wait_until(lambda: pipe.note == "ended")
    os.close(reading)
    gone = PipedCapture(tmp_path / "nothing", None, tmp_path)
    assert gone.wait(10)
    assert gone.note == "ended: No such file or directory"


@pytest.mark.parametrize("way", ["standard input", "fifo"])
def test_panes_show_a_pipe_and_take_keys_from_the_terminal(tmp_path: Path, way: str) -> None:
    temp = tmp_path / "temp"
    temp.mkdir()
    data = written(tmp_path / "lab.pcapng", b"Hello", b"again").read_bytes()
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    word = "-" if way == "standard input" else str(fifo)
    terminal = Terminal(
        temp, "inspect", word, module="netlab", controlling=True, stdin=subprocess.PIPE if word == "-" else None
    )
    try:
        source = terminal.process.stdin if word == "-" else fifo.open("wb")
        assert source is not None
        with source:
            source.write(data[:-200])
            source.flush()
            terminal.until(lambda: b"Hello" in terminal.written, "showed the first")
            terminal.until(lambda: b"arriving" in terminal.written, "said that more may come")
            source.write(data[-200:])
            source.flush()
            os.write(terminal.master, b"G")
            terminal.until(lambda: b"never came" in terminal.written, "showed the last")
        terminal.until(lambda: b"ended" in terminal.written, "said that it ended")
        os.write(terminal.master, b"q")
        assert terminal.ended() == 0
        assert list(temp.iterdir()) == []
        assert not list(Path("/dev/shm").glob(f"netlab-{terminal.process.pid}-*"))
    finally:
        terminal.close()


def test_without_a_terminal_it_says_so(tmp_path: Path) -> None:
    master, slave = pty.openpty()
    try:
        words = [sys.executable, "-m", "netlab", "inspect", "-"]
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, stdout=slave, stderr=slave, start_new_session=True, timeout=60
        )
        assert done.returncode == 2
        assert b"keys cannot come from a pipe, and there is no terminal; --text prints it" in os.read(master, 1000)
    finally:
        os.close(slave)
        os.close(master)
