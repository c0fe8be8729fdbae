"""Ctrl+c while a command still imports: it ends, and says nothing."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.folders import ROOT

INTERRUPTED = """
import os, runpy, signal, sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == module:
            os.kill(os.getpid(), signal.SIGINT)

module = sys.argv.pop(1)
sys.meta_path.insert(0, Interrupting())
runpy.run_module("netlab", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("netlab.cli", ["--help"]),
        ("netlab.commands.serve", ["serve", "tcp", "--port", "0"]),
        ("netlab.topics.tcp.server_single", ["serve", "tcp", "--port", "0"]),
        ("netlab.commands.wire", ["wire", "--to", "127.0.0.1:1"]),
        ("netlab.wire.live_wire", ["wire", "--to", "127.0.0.1:1"]),
        ("netlab.commands.call", ["call", "tcp", "send(b'x')"]),
        ("netlab.commands.load", ["load", "tcp"]),
        ("netlab.lab.state", ["run", "--list"]),
        ("netlab.certificates.certs", ["certs"]),
        ("netlab.commands.eject", ["eject", "tcp"]),
        ("netlab.ui.terminal.exit_watch", []),
        ("netlab.ui.capture_app", ["inspect", "nothing.pcapng"]),
    ],
)
def test_an_interrupt_while_it_imports_is_quiet(tmp_path: Path, module: str, words: list[str]) -> None:
    terminal, slave = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-c", INTERRUPTED, module, *words],
            stdin=slave, stdout=slave, stderr=slave, timeout=30, check=False,
            cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        os.close(slave)
        assert _written(terminal) == b""
    finally:
        os.close(terminal)
    stopped = {0} if words[:1] == ["serve"] else set()  # it has its handlers by then: that is how one stops it
    assert done.returncode in {-2, 130} | stopped


@pytest.mark.parametrize(
    "module", ["netlab.topics.discovery", "netlab.lab.processes.early", "textual.app", "netlab.ui.app"]
)
def test_an_interrupt_while_the_app_imports_is_quiet(tmp_path: Path, module: str) -> None:
    test_an_interrupt_while_it_imports_is_quiet(tmp_path, module, [])


def _written(terminal: int) -> bytes:
    written = b""
    try:
        while got := os.read(terminal, 4096):
            written += got
    except OSError:  # all of it was read, and nobody has the other end
        pass
    return written
