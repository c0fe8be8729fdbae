"""Samples where the threads, processes and tasks of a server stand, while a supervisor asks for it.

In the server's process that is done from the timer's signal, in its main thread. A forked child samples itself, in a
thread that it has only meanwhile: repeated signals would restart the kernel's limit on its waits (SO_RCVTIMEO).
"""

from __future__ import annotations

import json
import mmap
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from types import FrameType
from typing import Any

from netlab.serve.log import Reports
from netlab.serve.shutdown import TICK
from netlab.serve.standing.stacks import Peer, Place, StackReader, awaited, outwards
from netlab.topics.contract import Server

SHARE = 0.01
"""How much of the time sampling may take."""
MOST_STACKS = 300
"""How many threads and tasks are looked at."""
MOST_PEERS = 30
"""Clients in one part of a report, so that it fits into `PIPE_BUF` with its places."""
LONGEST_PART = 2500
"""Characters of a part's JSON, beside what is the same in each; writing up to 4,096 bytes is atomic (pipe(7))."""
LONGEST_NAME, MOST_PLACES = 120, 8

Sample = dict[tuple[tuple[Place, ...], str], list[Peer | None]]
"""Whose connections are served where, and by what; None for each thread or task that serves none."""


@dataclass(slots=True)
class _Shared:
    """What the server and its forked children share: whether to sample, and the children's process ids."""

    words: memoryview

    @classmethod
    def new(cls) -> _Shared:
        return cls(memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("q"))

    @property
    def on(self) -> bool:
        return bool(self.words[0])

    @on.setter
    def on(self, on: bool) -> None:
        self.words[0] = on

    def place(self, forks: int) -> int:
        """Where the child of a fork writes its process id; the oldest is overwritten."""
        return 1 + forks % (len(self.words) - 1)


class StandingSampler:
    """Reports where everything stands, when that has changed; `look` is called from the timer's signal."""

    def __init__(self, server: Server, reader: StackReader, out: Reports) -> None:
        self._server, self._reader, self._out = server, reader, out
        self._shared = _Shared.new()
        self._forks = 0
        self._thread: threading.Thread | None = None
        self._last: object = None
        self._next = self._spent = 0.0
        self._looking = False
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=self._before_fork, after_in_child=self._forked)

    def obey(self, line: bytes) -> None:
        """A supervisor's request: ``{"request": "standing", "on": true}``."""
        with suppress(ValueError, AttributeError):
            asked = json.loads(line)
            if asked.get("request") == "standing":
                self._shared.on, self._last, self._next = bool(asked.get("on")), None, 0.0
                for pid in self._children() if self._shared.on else ():
                    _ask(pid)

    def look(self, frame: FrameType | None) -> None:
        """Sample this process, if it is wanted and affordable; ``frame`` is what the signal interrupted."""
        if not self._shared.on or self._looking or time.monotonic() < self._next:
            return
        self._looking = True
        try:
            self._report(frame, "main")
        finally:
            self._looking = False

    def _report(self, frame: FrameType | None, role: str) -> None:
        began, used = time.monotonic(), time.thread_time()
        try:
            sample, left_out = self._sample(frame, role)
            now = (sample, left_out, self._forks, children := self._children())
            if now != self._last and self._write(sample, left_out, children):
                self._last = now
        except Exception as error:  # noqa: BLE001 - whatever the server's objects raise, it must not end the server
            self._shared.on = False
            self._out.report({"event": "standing", "pid": os.getpid(), "failed": repr(error)[:LONGEST_NAME]})
        took = time.thread_time() - used
        self._spent += took
        self._next = began + max(TICK / 2, took / SHARE)

    # What stands where

    def _sample(self, frame: FrameType | None, role: str) -> tuple[Sample, int]:
        """What stands where, and how much more there is than was looked at."""
        found: Sample = {}
        everything = self._everything(frame, role)
        for frames, what in islice(everything, MOST_STACKS):
            stack = self._reader.read(frames)
            if stack.places:
                found.setdefault((stack.places, what), []).append(stack.peer)
        for peers in found.values():
            peers.sort(key=lambda peer: peer or ("", 0))
        return found, sum(1 for _ in everything)

    def _everything(self, frame: FrameType | None, role: str) -> Iterator[tuple[Iterator[FrameType], str]]:
        """The stack of every thread and task, with what it is; ``frame`` is the main thread's."""
        main, here = threading.main_thread().ident, threading.get_ident()
        for ident, innermost in sys._current_frames().items():
            if ident == main:
                yield from _with_tasks(frame or innermost, role)
            elif ident != here:
                yield from _with_tasks(innermost, "thread")

    # What is reported

    def _write(self, sample: Sample, left_out: int, children: Sequence[int]) -> bool:
        """Report a sample in parts, all but the last of them marked ``more``."""
        parts = list(_parts(sample)) or [[]]
        about = {"event": "standing", "pid": os.getpid(), "children": list(children), "left_out": left_out}
        about["spent"] = round(self._spent, 6)  # seconds of the processor's time so far
        return all(
            self._out.report({**about, "stands": part, "more": number < len(parts)})
            for number, part in enumerate(parts, 1)
        )

    # Forked children

    def _children(self) -> tuple[int, ...]:
        """The forked children that have not ended."""
        known = {pid for pid in self._shared.words[1:].tolist() if pid}
        named = getattr(self._server, "active_children", None) or ()  # as socketserver.ForkingMixIn has it
        return tuple(sorted(pid for pid in known.union(named) if _runs(pid, named)))

    def _before_fork(self) -> None:
        self._forks += 1

    def _forked(self) -> None:
        """This is a child now: it can be asked, and begins at once if its parent is sampled."""
        self._thread, self._last, self._looking = None, None, False
        if sys.platform != "win32":
            signal.signal(signal.SIGURG, self._asked)
        self._shared.words[self._shared.place(self._forks)] = os.getpid()
        self._asked()

    def _asked(self, number: int = 0, frame: FrameType | None = None) -> None:
        if self._shared.on and (self._thread is None or not self._thread.is_alive()):
            self._last = None
            self._thread = threading.Thread(target=self._sample_itself, name="standing", daemon=True)
            with suppress(RuntimeError):  # the system has no thread left
                self._thread.start()

    def _sample_itself(self) -> None:
        time.sleep(TICK / 2)  # by then it stands where it stays
        while self._shared.on:
            self._report(None, "process")
            time.sleep(max(TICK, self._next - time.monotonic()))


def _parts(sample: Sample) -> Iterator[list[object]]:
    part: list[object] = []
    length = 0
    for stand in _stands(sample):
        cost = len(json.dumps(stand))
        if part and length + cost > LONGEST_PART:
            yield part
            part, length = [], 0
        part.append(stand)
        length += cost
    if part:
        yield part


def _stands(sample: Sample) -> Iterator[dict[str, object]]:
    for (places, what), everyone in sample.items():
        at = [(file[:LONGEST_NAME], line, of[:LONGEST_NAME], name[:LONGEST_NAME]) for file, line, of, name in places]
        peers = [peer for peer in everyone if peer is not None]
        for start in range(0, len(peers), MOST_PEERS):
            yield {"at": at[:MOST_PLACES], "what": what, "peers": peers[start : start + MOST_PEERS], "others": 0}
        if others := len(everyone) - len(peers):
            yield {"at": at[:MOST_PLACES], "what": what, "peers": [], "others": others}


def _with_tasks(innermost: FrameType, role: str) -> Iterator[tuple[Iterator[FrameType], str]]:
    """A thread, and the tasks of the event loop that it runs. The task that runs now stands on its stack."""
    loop = _loop_of(innermost)
    if loop is None:
        yield outwards(innermost), role
        return
    asyncio: Any = sys.modules["asyncio"]
    running = asyncio.current_task(loop)
    yield outwards(innermost), "task" if running is not None else "loop"
    for task in asyncio.all_tasks(loop):
        if task is not running:
            yield awaited(task.get_coro()), "task"


def _loop_of(frame: FrameType) -> Any:
    """The event loop that runs in a thread, if one does."""
    base: Any = sys.modules.get("asyncio.base_events")
    if base is None:
        return None
    runs = base.BaseEventLoop.run_forever.__code__
    for each in outwards(frame):
        if each.f_code is runs:
            return each.f_locals.get("self")
    return None


def _runs(pid: int, named: Iterable[int]) -> bool:
    """Whether this is a child of this process that has not ended; elsewhere than on Linux, whether it is named."""
    if sys.platform == "linux":
        try:
            return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        except OSError:
            return False
    else:
        return pid in set(named)


def _ask(pid: int) -> None:
    """Let a forked child begin: by a signal that harms no process that does not expect it."""
    if sys.platform != "win32":
        with suppress(OSError):
            os.kill(pid, signal.SIGURG)
