"""What netlab uses and not every system has: each with a substitute, or with the reason why it cannot be done.

Standard library only; it imports nothing of netlab, so everything may import it.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Iterable
from importlib import import_module
from typing import Final, Protocol

READABLE: Final[int] = getattr(select, "POLLIN", 1)
WRITABLE: Final[int] = getattr(select, "POLLOUT", 4)
ERROR: Final[int] = getattr(select, "POLLERR", 8)
HUNG_UP: Final[int] = getattr(select, "POLLHUP", 16)
PEER_CLOSED: Final[int] = getattr(select, "POLLRDHUP", 0)
"""The peer has closed its side, reported before that is read; 0 except on Linux."""
KILL: Final[signal.Signals] = getattr(signal, "SIGKILL", signal.SIGTERM)
WHOLE_LINE: Final[int] = getattr(select, "PIPE_BUF", 512)
"""Bytes that a pipe takes whole or not at all (pipe(7)); 512 is what POSIX promises at least."""
NO_WAIT: Final[int] = getattr(os, "O_NONBLOCK", 0)
NO_LINK: Final[int] = getattr(os, "O_NOFOLLOW", 0)
"""For `os.open`: fail if the file is a symbolic link."""

_PURPOSES: Final = {
    "os.fork": "os.fork, to make a process per client",
    "os.killpg": "process groups, to end a server with all that it started",
    "signal.setitimer": "interval timers, to watch a server from within",
    "termios": "POSIX terminals (termios), to show the screen",
    "socket.AF_NETLINK": "netlink sockets, to ask the kernel what it knows of a server",
}
"""What is asked for by its Python name, in words and with its purpose."""
_LINUX_ALONE: Final = frozenset({"socket.AF_NETLINK"})


def lacks(needs: Iterable[str]) -> str:
    """Why this system cannot do what needs these Python names, in one line; empty if it can."""
    missing = next((name for name in needs if not _has(name)), None)
    if missing is None:
        return ""
    those = "Linux and WSL" if missing in _LINUX_ALONE else "Linux, macOS and WSL"
    return f"this system has no {_PURPOSES[missing]}; {those} do"


def _has(name: str) -> bool:
    module, _, attribute = name.partition(".")
    try:
        found = import_module(module)
    except ImportError:
        return False
    return not attribute or hasattr(found, attribute)


def counts_accept_queue() -> bool:
    """Whether the kernel says how many connections wait to be accepted."""
    return sys.platform == "linux"


class Described(Protocol):
    """Anything with a descriptor."""

    def fileno(self) -> int:
        """The descriptor."""


class Poll(Protocol):
    """As `select.poll`."""

    def register(self, fd: int | Described, eventmask: int, /) -> None:
        """Watch a descriptor."""

    def modify(self, fd: int | Described, eventmask: int, /) -> None:
        """Watch it for something else."""

    def unregister(self, fd: int | Described, /) -> None:
        """Stop watching it."""

    def poll(self, timeout: float | None = None, /) -> list[tuple[int, int]]:
        """The descriptors that are ready, and for what; waits ``timeout`` milliseconds at most."""


class SelectPoll:
    """`select.poll` made from `select.select`: for Windows, where it takes sockets only.

    A connection that breaks while neither reading nor writing is asked for goes unnoticed until one of them is.
    """

    def __init__(self) -> None:
        self._masks: dict[int, int] = {}

    def register(self, fd: int | Described, eventmask: int, /) -> None:
        """Watch a descriptor."""
        self._masks[fd if isinstance(fd, int) else fd.fileno()] = eventmask

    modify = register

    def unregister(self, fd: int | Described, /) -> None:
        """Stop watching it."""
        del self._masks[fd if isinstance(fd, int) else fd.fileno()]

    def poll(self, timeout: float | None = None, /) -> list[tuple[int, int]]:
        """The descriptors that are ready, and for what; waits ``timeout`` milliseconds at most."""
        seconds = None if timeout is None else max(timeout, 0) / 1000
        readers, writers = (
            [fd for fd, mask in self._masks.items() if mask & wanted] for wanted in (READABLE, WRITABLE)
        )
        if not (readers or writers):  # Windows refuses to wait for nothing
            time.sleep(1 if seconds is None else seconds)
            return []
        readable, writable, broken = select.select(readers, writers, [*{*readers, *writers}], seconds)
        ready = dict.fromkeys(broken, ERROR)
        for found, event in ((readable, READABLE), (writable, WRITABLE)):
            for fd in found:
                ready[fd] = ready.get(fd, 0) | event
        return list(ready.items())


def poll() -> Poll:
    """A `select.poll`, or what stands in for it."""
    if sys.platform != "win32" and hasattr(select, "poll"):
        return select.poll()
    return SelectPoll()


def ready(fd: int, event: int, seconds: float = 0) -> bool:
    """Whether a descriptor of any number is ready within that time; `select.select` takes none above 1023."""
    watch = poll()
    watch.register(fd, event)
    return bool(watch.poll(seconds * 1000))


def kill_group(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process group; to its leader alone on Windows, which has none. Raises `OSError`."""
    if sys.platform != "win32":
        os.killpg(pid, number)
    else:
        os.kill(pid, number)


def never_block(fd: int) -> None:
    """Let reads and writes of a descriptor fail rather than wait. Windows' pipes cannot do that before Python 3.12."""
    if sys.platform != "win32":
        os.set_blocking(fd, False)


def unread_count(sock: Described) -> int:
    """How many bytes have come on a socket and were not read (FIONREAD); 0 if the system does not say."""
    if sys.platform != "win32":
        with contextlib.suppress(ImportError, OSError):
            import fcntl
            import termios

            return int.from_bytes(fcntl.ioctl(sock.fileno(), termios.FIONREAD, bytes(4)), sys.byteorder)
    return 0


def lock(fd: int, *, wait: bool) -> None:
    """Take a file's lock, which its process holds until it closes the file. Does nothing if the system has none.

    Raises `BlockingIOError` if another process has it, unless ``wait`` says to wait for it.
    """
    if sys.platform != "win32":
        try:
            import fcntl
        except ImportError:
            return
        fcntl.flock(fd, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
