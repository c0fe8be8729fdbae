"""Runs the tutorial's own code, as data, in a child process that always ends.

The child limits itself before the code begins: processor time, memory, files, and a timer that ends it even if its
parent is gone. It runs isolated (``python -I``), in its own process group. Its output is bounded. It knows no lab.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from netlab.capture.model import Endpoint
from netlab.dissect.text import safe
from netlab.platforms import KILL, kill_group
from netlab.topics.experiment import SandboxResult

OUTPUT_LIMIT = 64 << 10
_LOOK_EVERY = 0.02
_SIGXCPU: int = getattr(signal, "SIGXCPU", 24)
_SIGALRM: int = getattr(signal, "SIGALRM", 14)

# Not preexec_fn, which is unsafe in a process with threads. The code is not hostile; it only loops or grows.
_BOOT = """
import resource, signal, sys
cpu, memory, wall, code = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
for name, soft, hard in (("CPU", cpu, cpu + 1), ("AS", memory, memory), ("CORE", 0, 0), ("FSIZE", 0, 0),
                         ("NOFILE", 64, 64)):
    what = getattr(resource, "RLIMIT_" + name)
    most = resource.getrlimit(what)[1]
    if most != resource.RLIM_INFINITY:
        soft, hard = min(soft, most), min(hard, most)
    resource.setrlimit(what, (soft, hard))
signal.setitimer(signal.ITIMER_REAL, wall)
sys.argv = ["quoted"]
try:
    exec(compile(code, "quoted", "exec"), {"__name__": "__main__"})
except SystemExit:
    raise
except BaseException as error:
    import linecache, traceback
    linecache.cache["quoted"] = (len(code), None, code.splitlines(True), "quoted")
    traceback.print_exception(error.with_traceback(error.__traceback__.tb_next))
    sys.exit(1)
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the code may use: seconds of processor time, seconds in all, bytes of memory."""

    cpu_seconds: int = 1
    wall_seconds: float = 20.0
    memory: int = 512 << 20


class SandboxedCode:
    """Code that runs in a child process. `close` ends it and everything that it started."""

    def __init__(self, code: str, at: Endpoint | None = None, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._deadline = time.monotonic() + self._limits.wall_seconds
        words = [self._limits.cpu_seconds, self._limits.memory, self._limits.wall_seconds, aimed(code, at)]
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-u", "-c", _BOOT, *map(str, words)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
            env={name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ},
        )
        self._got = bytearray()
        self._reader = threading.Thread(target=self._read, name="netlab-quoted", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    def write(self, text: str) -> None:
        """Write to its standard input; does nothing if it has ended."""
        with contextlib.suppress(OSError, ValueError):
            assert self._process.stdin is not None
            self._process.stdin.write(text.encode())
            self._process.stdin.flush()

    def wait(self, check_stop: Callable[[], None] = lambda: None) -> SandboxResult:
        """Wait until it ends or has used up its time; meanwhile ``check_stop`` is called and may raise."""
        try:
            while not self._ended() and time.monotonic() < self._deadline:
                check_stop()
                time.sleep(_LOOK_EVERY)
            late = not self._ended()
        finally:
            self.close()
        return self._run(late)

    def close(self) -> None:
        """End it now, with everything that it started. A second call does nothing."""
        if self._process.returncode is not None:
            return
        with contextlib.suppress(OSError):
            kill_group(self._process.pid, KILL)  # it is not reaped yet, so the process group is still its own
        self._process.wait()
        self._reader.join(1.0)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None and not self._reader.is_alive():
                with contextlib.suppress(OSError):
                    pipe.close()

    def _ended(self) -> bool:
        """Whether it has ended. If possible it stays unreaped, so that its process group can still be ended."""
        if self._process.returncode is not None:
            return True
        if sys.platform != "win32" and hasattr(os, "waitid"):
            return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        return self._process.poll() is not None

    def _run(self, late: bool) -> SandboxResult:
        status = self._process.returncode
        spun = not late and status in (-_SIGXCPU, -KILL)
        late = late or status == -_SIGALRM
        text = safe(self._got.decode(errors="replace"), keep="\n")
        return SandboxResult(None if spun or late else status, text, spun, late)

    def _read(self) -> None:
        """Read all that it prints, so that it never blocks; keep the beginning."""
        assert self._process.stdout is not None
        with contextlib.suppress(OSError, ValueError):
            while got := os.read(self._process.stdout.fileno(), 1 << 16):
                self._got += got[: max(0, OUTPUT_LIMIT - len(self._got))]


def aimed(code: str, at: Endpoint | None) -> str:
    """The code with ``{host}`` and ``{port}`` replaced by the address."""
    return code if at is None else code.replace("{host}", at.host).replace("{port}", str(at.port))
