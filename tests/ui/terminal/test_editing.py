"""``:edit`` gives the terminal to the person's editor, and takes it back. In a real pseudo-terminal."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from netlab.ui.terminal.exit_watch import HEED, ExitWatch
from tests.support.screen.in_terminal import Terminal, alive, children_of, nothing_is_left, serving

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="children are looked up in /proc")

EDITOR = """\
#!/bin/sh
sed -i 's/(message)/(message.upper())/' "$1"
echo $$ > "$1.editor"
read line
"""


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    (tmp_path / "temp").mkdir()
    editor = tmp_path / "editor"
    editor.write_text(EDITOR)
    editor.chmod(0o755)
    terminal = Terminal(tmp_path / "temp", EDITOR=str(editor), VISUAL="")
    yield terminal
    terminal.close()


def editing(terminal: Terminal, folder: Path) -> int:
    """Wait until the editor runs; its process."""
    serving(terminal)
    terminal.until(lambda: "tcp ❯".encode() in terminal.written, "had its panes")
    os.write(terminal.master, f":edit {folder}\r".encode())
    noted = folder / "tcp_server_single.py.editor"
    terminal.until(lambda: noted.exists() and noted.read_text().strip(), "edited")
    return int(noted.read_text())


def test_what_is_saved_serves_and_ctrl_c_is_the_editors(terminal: Terminal, tmp_path: Path) -> None:
    editor = editing(terminal, tmp_path / "mine")
    os.kill(terminal.process.pid, signal.SIGINT)
    os.write(terminal.master, b"\n")
    terminal.until(lambda: not alive(editor), "ended the editor")
    terminal.until(lambda: terminal.written.count(b"\x1b[?1049h") == 2, "came back")
    asked = itertools.count()

    def answered() -> bool:
        """Ask again while the server before it still serves."""
        if next(asked) % 20 == 0:
            os.write(terminal.master, b"Hello\r")
        return b"HELLO" in terminal.written

    terminal.until(answered, "answered as edited")
    children = children_of(terminal.process.pid)
    os.write(terminal.master, b"\x11")
    assert terminal.ended() == 0
    nothing_is_left(terminal, children, tmp_path / "temp")


def test_an_interrupt_for_the_editor_that_is_seen_late_does_not_end_the_app() -> None:
    watch, ended_by = ExitWatch(), list[int]()
    watch.hand_over(ended_by.append)
    watch.ignore_interrupts()
    watch._take(bytes([signal.SIGINT]) + HEED)
    assert ended_by == []
    watch._take(bytes([signal.SIGINT]))
    assert ended_by == [signal.SIGINT]


def test_a_signal_ends_the_app_and_the_editor(terminal: Terminal, tmp_path: Path) -> None:
    editor = editing(terminal, tmp_path / "mine")
    children = [pid for pid in children_of(terminal.process.pid) if pid != editor]
    os.kill(terminal.process.pid, signal.SIGTERM)
    assert terminal.ended() == 128 + signal.SIGTERM
    terminal.until(lambda: not alive(editor) and not any(map(alive, children)), "ended all")
