"""A child process that speaks JSON lines: events on its stdout, requests on its stdin.

It knows neither servers nor wires. The child ends when its stdin closes, so nothing outlives this process,
not even after kill -9; what it forked ends with it, as its process group.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from netlab.dissect.text import safe
from netlab.platforms import KILL, READABLE, WHOLE_LINE, Poll, kill_group, never_block, poll, ready

Message = Mapping[str, object]

# -P: a child must not import a file named socket.py from the current folder.
PROGRAM: tuple[str, ...] = (sys.executable, "-P", "-m", "netlab")
LINE_LIMIT = 1 << 20
WORDS_KEPT = 40
MESSAGES_KEPT = 1000
WORD_LENGTH = 500
# How a child is ended, and how long each way may take: 1.8 s in all.
_STEPS: tuple[tuple[signal.Signals | None, float], ...] = ((None, 0.9), (signal.SIGTERM, 0.5), (KILL, 0.4))

_LIVING: dict[int, Child] = {}


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with ``extra``, in which a child finds the same netlab as this one."""
    root = Path(__file__).parents[3]
    found = dict(os.environ) | dict(extra)
    if root.name not in ("site-packages", "dist-packages"):
        found["PYTHONPATH"] = os.pathsep.join(filter(None, [str(root), found.get("PYTHONPATH", "")]))
    return found


class Child:
    """One running child. What `attach` gets is called in its reader thread, and must not stop it.

    ``keep`` keeps its messages for the next one to attach, too. One that ``lingers`` ends by itself once its stdin is
    closed, in its own time, and must not be killed before.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        extra_environment: Mapping[str, str] | None = None,
        *,
        keep: bool = False,
        lingers: bool = False,
    ) -> None:
        self.lingers = lingers
        self.ended = threading.Event()
        self.asked_to_end = False
        self._stderr_lines: deque[str] = deque(maxlen=WORDS_KEPT)
        self._on_message: Callable[[Message], None] | None = None
        self._on_end: Callable[[], None] | None = None
        self._kept: deque[Message] = deque(maxlen=MESSAGES_KEPT)
        self._keep, self._over = keep, False
        self._delivery = threading.RLock()
        self._lock = threading.Lock()
        self._rest = {"out": b"", "err": b""}
        self._process = subprocess.Popen(
            [*PROGRAM, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,  # not a session of its own: autogrouping would make its yielding void
            env=environment(extra_environment or {}),
        )
        assert self._process.stdin and self._process.stdout and self._process.stderr
        self._stdin = self._process.stdin
        self._streams = {self._process.stdout.fileno(): "out", self._process.stderr.fileno(): "err"}
        _LIVING[self.pid] = self
        never_block(self._stdin.fileno())  # a stalled child must not stall its caller
        threading.Thread(target=self._read, name=f"netlab-child-{self.pid}", daemon=True).start()

    def attach(self, on_message: Callable[[Message], None], on_end: Callable[[], None]) -> None:
        """Get all its messages from now on, and those that were kept. ``on_end`` comes once, after the last message."""
        with self._delivery:
            kept, self._kept = self._kept, deque(maxlen=MESSAGES_KEPT)
            first, self._on_message, self._on_end = self._on_message is None, on_message, on_end
            self._keep = self._keep and first
            for message in kept:
                self._report(message)
            if self._over:
                on_end()

    def _report(self, message: Message) -> None:
        with self._delivery:
            if self._keep or self._on_message is None:
                self._kept.append(message)
            if self._on_message is not None:
                try:
                    self._on_message(message)
                except Exception:  # noqa: BLE001 - it is reported; the next messages and the child's end count
                    threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread())))

    @property
    def pid(self) -> int:
        """The child's process id, which is also its process group's."""
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        """The exit status; negative for a signal; None while it runs."""
        return self._process.returncode

    @property
    def died(self) -> bool:
        """Whether it ended without being asked to."""
        return self.ended.is_set() and not self.asked_to_end

    @property
    def last_words(self) -> list[str]:
        """The last lines of its stderr, oldest first, safe for the screen."""
        return list(self._stderr_lines)

    def request(self, message: Message) -> bool:
        """Ask the child something; False if it no longer listens, is stalled, or the line has more than 4 kB."""
        line = json.dumps(message).encode() + b"\n"
        if len(line) > WHOLE_LINE:  # only up to there is a line written whole or not at all (pipe(7))
            return False
        with self._lock:
            try:
                return not self._stdin.closed and os.write(self._stdin.fileno(), line) == len(line)
            except OSError:
                return False

    def close_stdin(self) -> None:
        """Ask the child to end."""
        with self._lock:
            self.asked_to_end = True
            with contextlib.suppress(OSError):
                self._stdin.close()

    def let_go_of_stdin(self, instead: int) -> None:
        """Let another descriptor take its place in this process, which was forked."""
        with contextlib.suppress(OSError, ValueError):  # closed already
            os.dup2(instead, self._stdin.fileno(), inheritable=False)

    def kill(self, number: signal.Signals) -> None:
        """Send a signal to the child and all it forked. Its id is still its own: it is reaped under the same lock."""
        with self._lock:
            if self._process.returncode is None:
                with contextlib.suppress(OSError):
                    kill_group(self.pid, number)

    def abandon(self) -> None:
        """Kill the child and all it forked, without waiting for a lock that another thread may hold for long.

        One that lingers ends because this process does.
        """
        if not self.lingers and self._lock.acquire(timeout=0.05):
            with contextlib.suppress(OSError):
                if self._process.returncode is None:
                    kill_group(self.pid, KILL)
            self._lock.release()

    def _read(self) -> None:
        watch = poll()
        for fd in self._streams:
            watch.register(fd, READABLE)
        exit_fd = self._watch_exit(watch)
        while not self._has_exited(exit_fd):
            for fd, _ in watch.poll(None if exit_fd is not None else 100):
                if fd != exit_fd and not self._take(fd):
                    watch.unregister(fd)
        self._finish(exit_fd)

    def _watch_exit(self, watch: Poll) -> int | None:
        """A descriptor that is readable once the child has ended (Linux); elsewhere the loop looks every 0.1 s."""
        if sys.platform == "linux" and hasattr(os, "pidfd_open"):
            with contextlib.suppress(OSError):
                exit_fd = os.pidfd_open(self.pid)
                watch.register(exit_fd, READABLE)
                return exit_fd
        return None

    def _has_exited(self, exit_fd: int | None) -> bool:
        """Whether it ended. If possible it is not reaped yet, so that its process group can still be signalled."""
        if exit_fd is not None:
            return ready(exit_fd, READABLE)
        with self._lock:
            ended = self._process.poll()
        return ended is not None

    def _finish(self, exit_fd: int | None) -> None:
        for fd in self._streams:  # what it forked may hold the pipes open: take what is there, do not wait for the end
            never_block(fd)
            for _ in range(64):
                if not self._take(fd):
                    break
        if exit_fd is not None:
            self.kill(KILL)
            os.close(exit_fd)
        with self._lock:
            self._process.wait()
            _LIVING.pop(self.pid, None)
        for pipe in (self._process.stdout, self._process.stderr, self._stdin):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()
        self.ended.set()
        with self._delivery:
            self._over = True
            if self._on_end is not None:
                self._on_end()

    def _take(self, fd: int) -> bool:
        try:
            got = os.read(fd, 1 << 16)
        except OSError:
            return False
        name = self._streams[fd]
        *lines, rest = (self._rest[name] + got).split(b"\n")
        if not got and rest:
            lines, rest = [rest], b""
        self._rest[name] = rest if len(rest) <= LINE_LIMIT else b""
        for line in lines:
            self._on_line(name, line)
        return bool(got)

    def _on_line(self, name: str, line: bytes) -> None:
        if name == "out":
            with contextlib.suppress(ValueError):
                message = json.loads(line)
                if isinstance(message, dict):
                    self._report(message)
                return
        text = line[: WORD_LENGTH * 4].decode(errors="replace").rstrip()[:WORD_LENGTH]
        if text:
            self._stderr_lines.append(safe(text))


def _let_go_in_a_fork() -> None:
    """Close a forked process's copies of the children's stdin: else they would live as long as the fork does.

    Something else takes the descriptors' numbers, because the parent's objects, which are copied, go on using them.
    """
    if _LIVING:
        nothing = os.open(os.devnull, os.O_RDWR)
        for child in list(_LIVING.values()):
            child.let_go_of_stdin(nothing)
        os.close(nothing)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go_in_a_fork)


def abandon_all() -> None:
    """Kill all children of this process: it has to end now, whatever its threads do."""
    for child in list(_LIVING.values()):
        child.abandon()


def lingering() -> int:
    """How many children still end in their own time."""
    return sum(child.lingers for child in list(_LIVING.values()))


def stop(*children: Child | None) -> None:
    """End the children together: stdin closed, then SIGTERM, then SIGKILL; returns within 2 s, sooner if they obey.

    Those that linger get no signal, and may still be ending when it returns.
    """
    living = [child for child in children if child is not None]
    for number, seconds in _STEPS:
        deadline = time.monotonic() + seconds
        for child in living:
            if number is None:
                child.close_stdin()
            else:
                child.kill(number)
        living = [child for child in living if not child.ended.wait(max(0.0, deadline - time.monotonic()))]
        living = [child for child in living if not child.lingers]
