"""Forks commands from a process that has already imported all of netlab. Run with ``python -m``; ends with the tests.

Importing Textual takes as long as the rest of an app's life in a test. What is forked is otherwise as what a shell
starts: it has its own standard streams, environment, folder, process group or session, and terminal, and its own labs
start their children as always. The server has one thread, so each fork is whole.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import gc
import importlib.machinery
import io
import json
import os
import pkgutil
import select
import signal
import socket
import struct
import sys
import tempfile
import termios
import threading
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from tests.support.screen import run_app  # first: others copy what it replaces

LENGTH = struct.Struct("!I")


def import_all() -> None:
    """All of netlab, and what its functions import late."""
    import netlab
    from netlab.commands.app import FRAMES

    os.environ.setdefault("TEXTUAL_FPS", FRAMES)  # as the app does before it imports Textual
    # Whoever imports `netlab.__main__` has ctrl+c end the process, which is for the commands alone.
    before = signal.getsignal(signal.SIGINT)
    for module in pkgutil.walk_packages(netlab.__path__, "netlab."):
        if not module.name.startswith("netlab.api"):
            import_module(module.name)
    signal.signal(signal.SIGINT, before)
    for name in (
        "textual.drivers.linux_driver",
        "textual.widgets._markdown",
        "encodings.idna",
        "concurrent.futures.thread",
    ):
        import_module(name)


def received(control: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """The next request and its descriptors: stdin, stdout, stderr, and where the status goes. None at the end."""
    header, files, _, _ = socket.recv_fds(control, LENGTH.size, 4, socket.MSG_WAITALL)
    if not header:
        return None
    for file in files:
        os.set_inheritable(file, False)
    (length,) = LENGTH.unpack(header)
    body = b""
    while len(body) < length:
        body += control.recv(length - len(body))
    return json.loads(body), files


def become(request: dict[str, Any], files: list[int]) -> None:
    """Be the process that was asked for, from its session to its standard streams."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if request["session"]:
        os.setsid()
    elif request["group"]:
        os.setpgid(0, 0)
    *streams, status = files
    for number, file in enumerate(streams):
        os.dup2(file, number)
    if request["terminal"]:
        fcntl.ioctl(1, termios.TIOCSCTTY, 0)
    os.chdir(request["folder"])
    sys.path[0] = str(Path.cwd())
    os.environ.clear()
    os.environ.update(request["environment"])
    tempfile.tempdir = None
    add_paths()
    os.write(status, b"%d\n" % os.getpid())
    for file in files:
        os.close(file)
    sys.stdin = sys.__stdin__ = _text(0, "r", "strict")
    sys.stdout = sys.__stdout__ = _text(1, "w", "strict")
    sys.stderr = sys.__stderr__ = _text(2, "w", "backslashreplace")


def add_paths() -> None:
    """Heed PYTHONPATH, and a customization of the test's own."""
    sys.path[1:1] = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path not in (*sys.path, "")]
    found = importlib.machinery.PathFinder.find_spec("sitecustomize")
    if found is not None and "sitecustomize" not in sys.modules:
        import_module("sitecustomize")


def _text(file: int, mode: str, errors: str) -> io.TextIOWrapper:
    """A standard stream as Python opens it."""
    binary = open(file, f"{mode}b", closefd=False)  # noqa: SIM115 - it lives as long as the process
    by_line = file == 2 or (mode == "w" and os.isatty(file))
    return io.TextIOWrapper(binary, "utf-8", errors, line_buffering=by_line)


def run(request: dict[str, Any]) -> int:
    """The command's exit status."""
    if request["module"] == "netlab":
        main = import_module("netlab.__main__")
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # as importing it does
        sys.argv = [str(main.__file__), *request["words"]]
        return int(main.main())
    sys.argv = [run_app.__file__, *request["words"]]
    return run_app.main()


class Server:
    """Forks on request; reports how each of its children ended."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._statuses: dict[int, int] = {}
        self._ended, self._wakes = os.pipe()
        os.set_blocking(self._wakes, False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(self._wakes, warn_on_full_buffer=False)

    def serve(self) -> dict[str, Any] | None:
        """Returns in each fork, with its request; in the server, None once the tests are over."""
        while True:
            ready = select.select([self._control, self._ended], [], [])[0]
            if self._ended in ready:
                os.read(self._ended, 4096)
                self._reap()
            if self._control in ready:
                if (got := received(self._control)) is None:
                    return None
                request, files = got
                if (pid := os.fork()) == 0:
                    self._close()
                    become(request, files)
                    return request
                self._statuses[pid] = files.pop()
                for file in files:
                    os.close(file)

    def _reap(self) -> None:
        while self._statuses:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            file = self._statuses.pop(pid)
            os.write(file, b"%d\n" % os.waitstatus_to_exitcode(status))
            os.close(file)

    def _close(self) -> None:
        self._control.close()
        for file in (self._ended, self._wakes, *self._statuses.values()):
            os.close(file)


def leave(request: dict[str, Any]) -> NoReturn:
    """Run it and end as Python does, but for clearing its modules, which would copy all of the server's memory."""
    try:
        status = run(request)
    except SystemExit as leaving:
        status = _status(leaving.code)
    except BaseException:  # noqa: BLE001 - as at the end of any Python
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]  # there is one
        status = 1
    for step in (threading._shutdown, atexit._run_exitfuncs, sys.stdout.flush, sys.stderr.flush):  # type: ignore[attr-defined]  # as multiprocessing does
        with contextlib.suppress(ValueError):  # closed
            step()
    os._exit(status)


def _status(code: object) -> int:
    if code is None or isinstance(code, int):
        return (code or 0) & 0xFF
    print(code, file=sys.stderr)
    return 1


def main() -> None:
    """Serve, and in a fork run what was asked for."""
    control = socket.socket(fileno=int(sys.argv[1]))
    control.set_inheritable(False)
    import_all()
    assert threading.active_count() == 1, threading.enumerate()
    gc.collect()
    gc.freeze()
    if (request := Server(control).serve()) is not None:
        leave(request)


if __name__ == "__main__":
    main()
