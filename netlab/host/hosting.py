"""The supervising child's loop: runs one program, reports where it listens and what it writes, and ends all of it.

It ends the program when its standard input ends, so also after kill -9 of the app.
"""

from __future__ import annotations

import json
import math
import os
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import FrameType
from typing import Final

from netlab.host.ending import Ending
from netlab.host.host_reports import HostReports
from netlab.host.listener_look import ListenerLook, WhereItListens
from netlab.host.output_lines import OutputLines
from netlab.host.process_family import ProcessFamily
from netlab.platforms import READABLE, never_block, poll

LOOKING: Final = 0.1
"""Seconds between two looks for a listener."""
WATCHING: Final = 1.0
"""The same once it listens."""
ENDING: Final = 0.05
"""Seconds between two looks at what is left while it is being ended."""
UNFINISHED: Final = 0.3
"""Seconds after which a line without an end is shown."""
SURE: Final = 2
"""Looks that agree: about a port that was not asked for, and about a listener that is gone."""
_PIECES: Final = 16  # reads in one go, of 64 KiB each
_AT_THE_END: Final = 4096  # the same once all processes have ended


class Hosting:
    """One program, from its start to its end."""

    def __init__(self, family: ProcessFamily, look: ListenerLook, grace: float, out: HostReports) -> None:
        self._family, self._look, self._out = family, look, out
        self._ending = Ending(family, grace, out)
        self._lines = OutputLines()
        self._poll = poll()
        self._output, self._writing = os.pipe()
        self._began = time.monotonic()
        self._next_look, self._waited = 0.0, 0
        self._begun: float | None = None  # when a line without an end was begun
        self._seen, self._agreeing = WhereItListens(), 0
        self._port, self._missing = 0, 0  # where it listens, and for how many looks it has not
        self._ended = self._detached = False

    def run(self, arguments: Sequence[str], environment: Mapping[str, str]) -> int:
        """Run the program until all of it has ended; the exit status."""
        wake = self._catch_signals()
        try:
            self._family.start(arguments, environment, self._writing)
        except OSError as error:
            self._out.report("failed", errno=error.errno, text=not_started(arguments[0], error))
            return 1
        os.close(self._writing)
        never_block(self._output)
        for fd in (0, self._output, wake):
            self._poll.register(fd, READABLE)
        self._say_limits()
        while not (self._family.empty or self._ending.given_up):
            self._turn(wake)
        self._finish()
        return 0

    def _turn(self, wake: int) -> None:
        for fd, _ in self._poll.poll(self._timeout() * 1000):
            if fd == 0:
                self._hear()
            elif fd == self._output:
                self._read(_PIECES)
            else:
                os.read(wake, 4096)
        if self._begun is not None and time.monotonic() - self._begun >= UNFINISHED:
            self._show(self._lines.flush())
        if not self._lines.unfinished:
            self._out.catch_up()
        self._family.reap()
        self._notice_end_of_first()
        if self._ending.begun:
            self._ending.go_on()
        elif time.monotonic() >= self._next_look and not self._family.empty:
            self._look_again()

    def _timeout(self) -> float:
        if self._ending.begun:
            return ENDING
        until = max(0.0, self._next_look - time.monotonic())
        return until if self._begun is None else min(until, UNFINISHED)

    # What the supervisor asks

    def _hear(self) -> None:
        try:
            lines = os.read(0, 1 << 16)
        except OSError:
            lines = b""
        if not lines:
            self._poll.unregister(0)
            self._ending.begin()
        for line in lines.splitlines():
            with suppress(ValueError, AttributeError):
                if json.loads(line).get("request") == "stop":
                    self._ending.asked()

    def _catch_signals(self) -> int:
        """A descriptor that wakes the loop when a child ends or a signal asks for the end."""
        reading, writing = os.pipe()
        never_block(writing)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGCHLD"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), self._on_signal)
        return reading

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if number != getattr(signal, "SIGCHLD", None):
            self._ending.begin()

    # What the program writes

    def _read(self, pieces: int) -> None:
        for _ in range(pieces):
            try:
                got = os.read(self._output, 1 << 16)
            except OSError:  # nothing more for now
                return
            if not got:
                with suppress(KeyError):
                    self._poll.unregister(self._output)
                return
            self._show(self._lines.feed(got))

    def _show(self, lines: Sequence[str]) -> None:
        for line in lines:
            self._out.output(line)
        if not self._lines.unfinished:
            self._begun = None
        elif lines or self._begun is None:
            self._begun = time.monotonic()

    # Where it listens

    def _look_again(self) -> None:
        if self._port:
            self._watch(self._port)
            self._next_look = time.monotonic() + WATCHING
            return
        try:
            seen = self._look.look(self._family.living())
        except OSError:
            seen = WhereItListens()
        self._agreeing = self._agreeing + 1 if seen == self._seen else 1
        self._seen = seen
        if seen.address is not None and (self._look.sure or self._agreeing >= SURE):
            self._serve(seen)
        else:
            self._report_waiting(seen)
        self._next_look = time.monotonic() + LOOKING

    def _serve(self, seen: WhereItListens) -> None:
        assert seen.address is not None
        host, port = seen.address
        self._port = port
        if not self._look.sure and seen.elsewhere:
            others = ", ".join(map(str, seen.elsewhere))
            self._out.remark(f"netlab: it listens on {port} and on {others}; the wire leads to {port}, --port chooses")
        self._out.report("listening", host=host, port=port)

    def _report_waiting(self, seen: WhereItListens) -> None:
        seconds = math.floor(time.monotonic() - self._began)
        if seconds > self._waited:
            self._waited = seconds
            self._out.report("waiting", seconds=seconds, elsewhere=list(seen.elsewhere[:8]), foreign=seen.foreign)

    def _watch(self, port: int) -> None:
        """A program whose first process has ended, and which listens no longer, has ended, whatever it left behind."""
        with suppress(OSError):  # the kernel does not answer
            self._missing = self._missing + 1 if self._look.has_gone(port) else 0
        if self._missing == SURE:
            self._out.remark(f"netlab: it no longer listens on {port}")
        if self._missing >= SURE and self._family.status is not None:
            self._report_end(self._family.status)
            self._ending.begin()

    # Its end

    def _notice_end_of_first(self) -> None:
        family = self._family
        if family.status is None or family.empty or self._detached:
            return
        self._detached = True
        if not self._ending.begun:
            how = "has ended" if not family.status else f"has ended with status {family.status}"
            self._out.remark(f"netlab: process {family.pid} {how}; what it started goes on", level="info")

    def _report_end(self, status: int | None) -> None:
        if not self._ended:
            self._ended = True
            self._out.report("ended", status=status, words=self._lines.last[:500])

    def _finish(self) -> None:
        self._read(_AT_THE_END)
        self._show(self._lines.flush())
        self._out.catch_up(at_last=True)
        family = self._family
        self._report_end(family.status or family.last_status)

    def _say_limits(self) -> None:
        if self._family.incomplete:
            text = f"netlab: {self._family.incomplete}: processes that leave its group are not ended with it"
            self._out.remark(text)
        if self._look.unknown:
            how = "a connection shows whether the program listens"
            needed = "where it listens must be known: write {port} in the command, or --port N"
            self._out.remark(f"netlab: {self._look.unknown}; {how if self._look.sure else needed}")


def not_started(name: str, error: OSError) -> str:
    """Why a program could not be started, and what to try."""
    return {
        "FileNotFoundError": f"there is no program {name!r} here",
        "PermissionError": f"{name} may not be executed; for a script, name its interpreter first",
    }.get(
        type(error).__name__, f"{name} cannot be executed: {error.strerror}; for a script, name its interpreter first"
    )
