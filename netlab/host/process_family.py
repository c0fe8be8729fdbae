"""A person's program and all that it starts: started, reaped, and signalled together.

On Linux this process becomes the parent of orphans (PR_SET_CHILD_SUBREAPER, prctl(2)), so that nothing of the family
gets away, not even a daemon. Elsewhere the family is a process group, and what leaves the group is lost.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from netlab.kernel.holders import descendants
from netlab.platforms import kill_group

_SET_CHILD_SUBREAPER: Final = 36
_NO_WAITING: Final[int] = getattr(os, "WNOHANG", 0)
_RESET: Final = tuple(
    getattr(signal, name) for name in ("SIGPIPE", "SIGXFSZ", "SIGINT", "SIGTERM", "SIGCHLD") if hasattr(signal, name)
)
"""Signals that Python or netlab handles; the program gets their defaults."""


class ProcessFamily:
    """One program. ``incomplete`` says why processes may get away; empty if none can."""

    def __init__(self) -> None:
        self.incomplete = _adopt_orphans()
        self.pid = 0
        """The first process."""
        self.status: int | None = None
        """How the first process ended, as `subprocess` counts; None while it runs."""
        self.last_status: int | None = None
        """How the process that ended last has ended."""
        self.empty = True

    def start(self, arguments: Sequence[str], environment: Mapping[str, str], output: int) -> None:
        """Start the program, its output going to a descriptor; raises `OSError`. Its input is open and stays silent."""
        give_up_terminal()
        silent, self._silence = os.pipe()
        if sys.platform != "win32":
            copies = [(os.POSIX_SPAWN_DUP2, silent, 0), *((os.POSIX_SPAWN_DUP2, output, to) for to in (1, 2))]
            self.pid = os.posix_spawnp(
                arguments[0], list(arguments), dict(environment), file_actions=copies, setpgroup=0, setsigdef=_RESET
            )
            self.empty = False
        os.close(silent)

    def reap(self) -> None:
        """Take note of the processes that have ended."""
        while not self.empty:
            try:
                pid, status = os.waitpid(-1, _NO_WAITING)
            except ChildProcessError:  # nobody is left: orphans would be children of this process
                self.empty = not self._group_lives()
                return
            if not pid:
                return
            self.last_status = os.waitstatus_to_exitcode(status)
            if pid == self.pid:
                self.status = self.last_status

    def living(self) -> frozenset[int]:
        """Its processes, as far as they are known."""
        if self.incomplete:
            return frozenset({self.pid}) if not self.empty else frozenset()
        return descendants(os.getpid()) - {os.getpid()}

    def send(self, number: signal.Signals) -> tuple[int, int]:
        """Send a signal to all; how many got it, and how many may not be signalled."""
        reached = refused = 0
        if self.incomplete:
            with suppress(OSError):
                kill_group(self.pid, number)
                reached = 1
        for pid in self.living() if not self.incomplete else ():
            try:
                os.kill(pid, number)
                reached += 1
            except ProcessLookupError:
                continue
            except PermissionError:  # another user's, as after sudo
                refused += 1
        return reached, refused

    def _group_lives(self) -> bool:
        if self.incomplete and sys.platform != "win32":
            with suppress(OSError):
                os.killpg(self.pid, 0)
                return True
        return False


def _adopt_orphans() -> str:
    refusal = "this system gives orphans to no other process"
    if sys.platform == "linux":
        if not Path(f"/proc/self/task/{os.getpid()}/children").exists():
            return "this kernel does not list a process's children"
        import ctypes  # late: 10 ms that other systems need not spend

        with suppress(OSError, AttributeError):
            if not ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
                return ""
        refusal = "this system refuses to make netlab the parent of orphans"
    return refusal


def give_up_terminal() -> None:
    """Let this process and its children have no terminal: nothing they do must reach the screen (ioctl_tty(2)).

    A session of its own would do that, too; but autogrouping would then give it half the processor.
    """
    if sys.platform != "win32":
        with suppress(ImportError, OSError, AttributeError):
            import fcntl
            import termios

            terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
            try:
                fcntl.ioctl(terminal, termios.TIOCNOTTY)
            finally:
                os.close(terminal)
