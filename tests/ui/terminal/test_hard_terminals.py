"""A terminal that sends no UTF-8, too much at once, or reads nothing. In a real pseudo-terminal."""

from __future__ import annotations

import os
import re
import select
import signal
import termios
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest

from tests.support.screen.in_terminal import Terminal, alive, nothing_is_left, serving
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="children are looked up in /proc")


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    temp = tmp_path / "temp"
    temp.mkdir()
    terminal = Terminal(temp)
    yield terminal
    terminal.close()


def resident(terminal: Terminal) -> int:
    """Its memory at its highest, in KiB."""
    status = Path(f"/proc/{terminal.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def echoed(terminal: Terminal, text: bytes) -> None:
    """Type it, and wait until the server has answered."""
    before = len(terminal.written)
    os.write(terminal.master, text + b"\r")
    terminal.until(lambda: b"recv(8192)" in terminal.written[before:], "answered")


def answers(terminal: Terminal) -> None:
    """It answers what is typed behind a flood; letters that touch the flood are left out with it, so type again."""
    before, deadline = len(terminal.written), time.monotonic() + PATIENCE
    while b"recv(8192)" not in terminal.written[before:]:
        assert time.monotonic() < deadline, bytes(terminal.written[-2000:])
        os.write(terminal.master, b"\x15Hello\r")  # ctrl+u clears the line
        until = time.monotonic() + 1
        while time.monotonic() < until and b"recv(8192)" not in terminal.written[before:]:
            terminal.read()


def pour(terminal: Terminal, data: bytes) -> None:
    """Write all of it, as fast as it is read, and read what is drawn meanwhile."""
    os.set_blocking(terminal.master, False)
    rest = memoryview(data)
    deadline = time.monotonic() + PATIENCE
    while rest:
        assert time.monotonic() < deadline, f"{len(rest)} bytes were not read"
        readable, writable, _ = select.select([terminal.master], [terminal.master], [], 1)
        if readable:
            terminal.read()
        if writable:
            rest = rest[os.write(terminal.master, rest) :]
    os.set_blocking(terminal.master, True)


@pytest.mark.parametrize(
    "sent", [b"\xff", "é".encode("latin-1"), b"\x1b[M !!", b"\x1b[M\xe0\xff\xe9", b"\x9b\x80\xc3", b"\xf0\x9f"]
)
def test_what_is_no_text_ends_nothing(terminal: Terminal, tmp_path: Path, sent: bytes) -> None:
    children = serving(terminal)
    os.write(terminal.master, sent)
    echoed(terminal, b"Hello")
    os.write(terminal.master, b"\x11")
    assert terminal.ended() == 0
    nothing_is_left(terminal, children, tmp_path / "temp")


def test_a_report_of_an_old_mouse_types_nothing(terminal: Terminal) -> None:
    serving(terminal)
    os.write(terminal.master, b"Hel\x1b[M\x20\x91\xa0lo\r")
    terminal.until(lambda: b"b'Hello'" in terminal.written, "answered")


def test_a_paste_without_brackets_is_cut_and_keys_are_answered(terminal: Terminal, tmp_path: Path) -> None:
    children = serving(terminal)
    before = resident(terminal)
    pour(terminal, b"x" * (256 << 10))
    terminal.until(lambda: b"came faster than" in terminal.written, "said so")
    answers(terminal)
    assert resident(terminal) - before < 64 << 10
    os.write(terminal.master, b"\x11")
    assert terminal.ended() == 0
    nothing_is_left(terminal, children, tmp_path / "temp")


def test_a_key_right_behind_a_flood_is_answered(terminal: Terminal) -> None:
    serving(terminal)
    pour(terminal, b"y" * (256 << 10) + b"\x11")
    assert terminal.ended() == 0


def test_a_huge_paste_is_bounded(terminal: Terminal) -> None:
    serving(terminal)
    before = resident(terminal)
    pour(terminal, b"\x1b[200~" + b"z" * (8 << 20) + b"\x1b[201~")
    terminal.until(lambda: b"came faster than" in terminal.written, "said so")
    answers(terminal)
    assert resident(terminal) - before < 64 << 10


@pytest.mark.parametrize("kinds", [b"35", b"32", b"0", b"64 65", b"0 35 64"])
def test_many_reports_of_the_mouse_leave_no_backlog(terminal: Terminal, tmp_path: Path, kinds: bytes) -> None:
    children = serving(terminal)
    codes, ends = kinds.split(), (b"M", b"m" if kinds == b"0" else b"M")
    reports = (
        b"\x1b[<%b;%d;%d%b" % (codes[n % len(codes)], 1 + n % 79, 3 + n % 20, ends[n % 2])
        for n in range(20_000)
    )  # fmt: skip
    pour(terminal, b"".join(reports))
    began = time.monotonic()
    os.write(terminal.master, b"\x11")
    assert terminal.ended() == 0
    assert time.monotonic() - began < PATIENCE / 2  # it was a minute
    nothing_is_left(terminal, children, tmp_path / "temp")


def stuffed(terminal: Terminal) -> None:
    """Have it draw, reading nothing, until the terminal takes no more."""

    def written() -> int:
        return int(Path(f"/proc/{terminal.process.pid}/io").read_text().partition("wchar:")[2].split()[0])

    def full() -> bool:
        return not select.select([], [terminal.slave], [], 0)[1]

    keys = cycle((b"\x10", b"\x1b"))  # the palette, and away with it
    while not full():
        drawn = written() + 500
        os.write(terminal.master, next(keys))
        wait_until(lambda drawn=drawn: written() > drawn or full(), "it draws")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_terminal_that_reads_nothing_keeps_no_app(terminal: Terminal, tmp_path: Path, number: int) -> None:
    children = serving(terminal)
    stuffed(terminal)
    terminal.process.send_signal(number)
    status = terminal.process.wait(PATIENCE)
    terminal.read()
    assert status == 128 + number, bytes(terminal.written[-6000:])
    wait_until(lambda: not any(map(alive, children)), "its children ended, too")
    assert termios.tcgetattr(terminal.slave) == terminal.before
    assert select.select([], [terminal.slave], [], PATIENCE)[1], "there is room for what the shell writes next"
    os.write(terminal.slave, b"$ ")
    given_back = re.compile(rb"\x1b\[\?1049l\x1b\[\?25h\x1b\[\?1004l(\x1b\[\?\d+l)*\$ $")
    terminal.until(lambda: given_back.search(terminal.written), "gave the screen back with what is read next")
    assert list((tmp_path / "temp").iterdir()) == []
