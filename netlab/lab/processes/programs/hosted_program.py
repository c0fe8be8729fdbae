"""One run of a person's own program: a child that runs ``netlab host``, and what it says of the program.

It knows no wire.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from netlab.capture.model import Endpoint, Transport
from netlab.lab.errors import LabError
from netlab.lab.processes import message_fields
from netlab.lab.processes.child import Child, Message
from netlab.lab.processes.server_plan import Start, StoppedEarly
from netlab.lab.processes.server_process import how_it_ended
from netlab.lab.standing.standings import Standings
from netlab.lab.state import LabState, LogLine, ProgramProgress

STARTING: Final = 120.0
"""Seconds within which a program must listen; a virtual machine may take many."""
_AFTER_KILLING: Final = 7.0


class HostedProgram:
    """One run of a program; ``port`` is where it should listen, 0 is anywhere."""

    def __init__(
        self,
        name: str,
        grace: float,
        start: Start,
        port: int,
        words: Sequence[str],
        environment: Mapping[str, str],
    ) -> None:
        self.model = start.model
        self._name, self._grace, self._port = name, grace, port
        self.endpoint: Endpoint | None = None
        self.progress: ProgramProgress | None = ProgramProgress(port)
        """How far its start or its end is; None while it listens."""
        self._changed, self._add_line = start.changed, start.add_line
        self._settled = threading.Event()
        self._over = self._asked = False
        self._end_words = ""
        self.child = Child(words, environment, lingers=True)
        self.child.attach(self._on_message, self._end)

    @property
    def running(self) -> bool:
        """Whether it listens, and is not being ended."""
        return self.endpoint is not None and not (self._over or self._asked or self.child.ended.is_set())

    reports = False
    standing: Standings | None = None

    @property
    def died(self) -> bool:
        """Whether it ended without being asked to."""
        return (self._over or self.child.ended.is_set()) and not (self._asked or self.child.asked_to_end)

    @property
    def last_words(self) -> str:
        """How it ended, and the last line that it wrote."""
        return self._end_words or " ".join(self.child.last_words[-1:]) or how_it_ended(self.child.exit_status)

    def wait(self) -> Endpoint:
        """Wait until it listens, and return where; raises `LabError`, `StoppedEarly` if it was stopped before that."""
        settled = self._settled.wait(STARTING)
        if self._asked:
            self.stop()
            raise StoppedEarly(f"{self._name} was stopped before it listened")
        if not settled:
            self.stop()
            raise LabError(f"{self._name} did not listen within {STARTING:g} s", "--port N says where it listens")
        if self.endpoint is None:
            raise LabError(self.last_words, "read its output in the log" if self._over else "check the command")
        return self.endpoint

    def reported(self, state: LabState, transport: Transport) -> LabState:
        """Its address and the process from which all of it descends."""
        return replace(state, server_address=self.endpoint, server_pid=self.child.pid)

    def set_patience(self, seconds: float | None, *, suspended: bool) -> None:
        """Its patience is its own."""

    def watch_standing(self, on: bool) -> None:
        """Only Python that netlab itself runs can be asked."""

    def hurry(self) -> None:
        """Ask it to end; the second time, kill it. Returns at once."""
        self._asked = True
        if self.progress is None or self.progress.kill_in is None:
            self.progress = ProgramProgress(self._port, kill_in=math.ceil(self._grace))
        self.child.request({"request": "stop"})
        self._settled.set()

    def retire(self) -> None:
        """Its output stays in the log."""

    def stop(self) -> None:
        """End it; returns when all of it has ended, or the lab is closed."""
        if not self._asked:
            self.hurry()
        deadline = time.monotonic() + self._grace + _AFTER_KILLING
        while not self.child.ended.wait(0.05) and time.monotonic() < deadline:
            if self.child.asked_to_end:  # the app leaves; the supervising child goes on by itself
                return
        self.child.close_stdin()

    def _on_message(self, message: Message) -> None:
        number, text = message_fields.number, message_fields.text
        match message.get("event"):
            case "listening":
                self.endpoint, self.progress = message_fields.endpoint(message), None
                self._settled.set()
            case "log":
                line = LogLine(number(message, "time_ns") or 0, text(message, "level") or "info", text(message, "text"))
                self._add_line(line)
                return
            case "waiting" | "stopping":
                self.progress = _progress(self.progress, message)
            case "failed":
                self._end_words = text(message, "text")
            case "ended":
                self._end_words = self._how(number(message, "status"), text(message, "words"))
                self._over = True
                self._settled.set()
        self._changed(self)

    def _how(self, status: int | None, words: str) -> str:
        how = how_it_ended(status).replace("it ", f"{self._name} ", 1)
        return f"{how}; it last wrote: {words}" if words else f"{how} and wrote nothing"

    def _end(self) -> None:
        self._settled.set()
        self._changed(self)


def _progress(before: ProgramProgress | None, message: Message) -> ProgramProgress:
    ports = message.get("elsewhere")
    return replace(
        before or ProgramProgress(),
        seconds=message_fields.number(message, "seconds") or 0,
        elsewhere=tuple(each for each in ports if isinstance(each, int)) if isinstance(ports, list) else (),
        foreign=message.get("foreign") is True,
        kill_in=message_fields.number(message, "left"),
    )
