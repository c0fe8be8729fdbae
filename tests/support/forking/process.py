"""Commands of netlab without the time that importing it takes: forked by a server that has (see `server`).

They are for tests of what a command does. A command whose start is the matter (what it imports, Python's options, a
signal while it imports) is started by `subprocess` as ever.
"""

from __future__ import annotations

import atexit
import fcntl
import inspect
import json
import os
import select
import socket
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.folders import ROOT

APP = "tests.support.screen.run_app"
CAN_FORK = sys.platform == "linux"
"""Elsewhere each command is started on its own: a process that has used a system's frameworks is not to be forked."""


class _Server:
    """The server of this process; those that this one forks have none."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair()
        self._lock = threading.Lock()
        words = [sys.executable, "-m", "tests.support.forking.server", str(theirs.fileno())]
        self._process = subprocess.Popen(words, cwd=ROOT, pass_fds=[theirs.fileno()], start_new_session=True)
        theirs.close()
        atexit.register(self._end)

    def ask(self, request: Mapping[str, object], files: Sequence[int]) -> None:
        from tests.support.forking.server import LENGTH

        body = json.dumps(request).encode()
        with self._lock:
            socket.send_fds(self._control, [LENGTH.pack(len(body))], files)
            self._control.sendall(body)

    def _end(self) -> None:
        self._control.close()
        self._process.wait()


@cache
def _server(pid: int) -> _Server:
    return _Server()


class Forked(subprocess.Popen[Any]):
    """A process of ``python -m module words``, forked by the server instead of started.

    It replaces the two things that `subprocess.Popen` does with the system: starting a process and waiting for it.
    """

    def __init__(self, module: str, words: Sequence[str], *, controlling: bool = False, **options: Any) -> None:
        self._request = {"module": module, "words": list(words), "terminal": controlling}
        self._looking = threading.Lock()
        self._status = -1
        super().__init__([sys.executable, "-m", module, *words], **options)

    def _execute_child(self, *values: Any) -> None:
        given = dict(zip(_GIVEN, values, strict=True))
        assert given["preexec_fn"] is None and not given["pass_fds"], "the server knows nothing of it"
        self._status, theirs = os.pipe()
        environment = os.environ if given["env"] is None else given["env"]
        request = {
            **self._request,
            "environment": dict(environment),
            "folder": os.fspath(given["cwd"] or Path.cwd()),
            "session": given["start_new_session"],
            "group": given["process_group"] == 0,
        }
        streams = (given["p2cread"], given["c2pwrite"], given["errwrite"])
        files = [number if file == -1 else file for number, file in enumerate(streams)]
        try:
            _server(os.getpid()).ask(request, [*files, theirs])
        finally:
            os.close(theirs)
            _close_pipes(self, *(given[name] for name in _PIPES))
        self.pid = self._line()
        self._child_created = True

    def _line(self) -> int:
        line = b""
        while not line.endswith(b"\n"):
            got = os.read(self._status, 1)
            assert got, "the server that forks has ended"
            line += got
        return int(line)

    def _internal_poll(self, *_: Any, **__: Any) -> int | None:
        return self._look(0)

    def _wait(self, timeout: float | None) -> int:
        deadline = None if timeout is None else time.monotonic() + timeout
        while self._look(0) is None:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            if self._look(left) is None and left == 0.0:
                assert timeout is not None
                raise subprocess.TimeoutExpired(self.args, timeout)
        assert self.returncode is not None
        return self.returncode

    def _look(self, seconds: float | None) -> int | None:
        """The exit status, if it ends within this time."""
        if self.returncode is None and self._status >= 0:
            watch = select.poll()
            watch.register(self._status, select.POLLIN)
            if watch.poll(None if seconds is None else seconds * 1000):
                with self._looking:
                    if self.returncode is None:
                        self.returncode = self._line()
                        os.close(self._status)
        return self.returncode


_GIVEN = list(inspect.signature(getattr(subprocess.Popen, "_execute_child")).parameters)[1:]  # noqa: B009 - no stub has it
_PIPES = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
_close_pipes = getattr(subprocess.Popen, "_close_pipe_fds")  # noqa: B009 - no stub has it


def started(module: str, *words: str, controlling: bool = False, **options: Any) -> subprocess.Popen[Any]:
    """A process of ``python -m module words``; the options are those of `subprocess.Popen`.

    A terminal that is its stdout can be the one that controls it.
    """
    if CAN_FORK:
        return Forked(module, words, controlling=controlling, **options)
    return started_anew(module, *words, controlling=controlling, **options)


def started_anew(module: str, *words: str, controlling: bool = False, **options: Any) -> subprocess.Popen[Any]:
    """The same in a Python that imports it first."""
    if controlling:
        options["preexec_fn"] = lambda: fcntl.ioctl(1, termios.TIOCSCTTY, 0)
    return subprocess.Popen([sys.executable, "-m", module, *words], **options)


def netlab(*words: str, **options: Any) -> subprocess.Popen[Any]:
    """A command of netlab's that runs."""
    return started("netlab", *words, **options)


def run_netlab(
    *words: str, input: str | None = None, timeout: float | None = None, **options: Any
) -> subprocess.CompletedProcess[str]:
    """A command of netlab's, to its end: like `subprocess.run` with text and, by default, all output."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
    if input is not None:
        options["stdin"] = subprocess.PIPE
    with netlab(*words, **options) as process:
        try:
            out, err = process.communicate(input, timeout)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)
