"""The app behind Textual's web driver, as textual-serve starts it: pipes in the place of a terminal."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.folders import ROOT
from tests.support.screen.in_terminal import alive, children_of
from tests.support.waiting import PATIENCE

APP = [sys.executable, "-m", "tests.support.screen.run_app"]

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="children are looked up in /proc")


class Browser:
    """What textual-serve does for a tab of a browser."""

    def __init__(self, temp: Path) -> None:
        driver = {
            "TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver",
            "COLUMNS": "120",
            "ROWS": "40",
        }
        environment = {**os.environ, **driver, "TMPDIR": str(temp), "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            APP, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
        )
        assert self.process.stdin and self.process.stdout
        self.stdin, self.stdout = self.process.stdin, self.process.stdout
        self.drawn = b""

    def until(self, text: bytes) -> None:
        deadline = time.monotonic() + PATIENCE
        while text not in re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", self.drawn):
            assert time.monotonic() < deadline, self.drawn[-2000:]
            if select.select([self.stdout], [], [], 0.1)[0]:
                got = os.read(self.stdout.fileno(), 1 << 16)
                assert got, self.drawn[-2000:]
                self.drawn += got

    def send(self, kind: bytes, data: bytes) -> None:
        self.stdin.write(kind + len(data).to_bytes(4, "big") + data)
        self.stdin.flush()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe:
                pipe.close()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    browser = Browser(tmp_path)
    yield browser
    browser.close()


def test_it_serves_answers_and_follows_the_size(browser: Browser) -> None:
    browser.until(b"__GANGLION__\n")
    browser.until("tcp ❯".encode())
    browser.drawn = b""
    browser.send(b"M", json.dumps({"type": "focus"}).encode())  # the console gets it back
    browser.until(b"esc commands")
    browser.send(b"D", b"Hello\r")
    browser.until(b"b'Hello'")
    browser.drawn = b""
    browser.send(b"M", json.dumps({"type": "resize", "width": 80, "height": 24}).encode())
    browser.until(b"serving")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it(browser: Browser, number: signal.Signals) -> None:
    browser.until("tcp ❯".encode())
    children = children_of(browser.process.pid)
    browser.process.send_signal(number)
    ended(browser, 128 + number, children)


def test_the_end_of_the_server_ends_it(browser: Browser) -> None:
    browser.until("tcp ❯".encode())
    children = children_of(browser.process.pid)
    browser.stdin.close()
    browser.stdout.close()
    ended(browser, 128 + signal.SIGHUP, children)


def ended(browser: Browser, status: int, children: list[int]) -> None:
    assert len(children) == 2
    assert browser.process.wait(PATIENCE) == status
    assert not [pid for pid in children if alive(pid)]
