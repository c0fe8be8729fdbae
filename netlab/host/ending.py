"""How a program is ended: SIGTERM to all its processes, then the grace, then SIGKILL; each step is reported."""

from __future__ import annotations

import math
import signal
import time
from typing import Final

from netlab.host.host_reports import HostReports
from netlab.host.process_family import ProcessFamily
from netlab.platforms import KILL

KILLING: Final = 5.0
"""Seconds after which processes that SIGKILL does not end are left behind."""


class Ending:
    """As systemd does it: SIGTERM goes to every process, once, so that a script's child ends and its trap runs."""

    def __init__(self, family: ProcessFamily, grace: float, out: HostReports) -> None:
        self._family, self._grace, self._out = family, grace, out
        self._deadline: float | None = None
        self._killed_at: float | None = None
        self._left: int | None = None
        self.given_up = False
        """Whether nothing more can be done."""

    @property
    def begun(self) -> bool:
        """Whether the program is being ended."""
        return self._deadline is not None

    def asked(self) -> None:
        """A person asks for the end; the second time, at once."""
        if self.begun:
            self._deadline = 0.0
        else:
            self.begin()

    def begin(self) -> None:
        """Send SIGTERM, unless that was done. SIGHUP is never sent: many servers read their configuration then."""
        if self.begun:
            return
        self._deadline = time.monotonic() + self._grace
        if self._family.pid:
            reached, refused = self._family.send(signal.SIGTERM)
            self._report("SIGTERM", reached, refused, f"; SIGKILL follows in {self._grace:g} s")

    def go_on(self) -> None:
        """Count down; kill at the end of the grace, and again until nobody is left."""
        assert self._deadline is not None
        now = time.monotonic()
        if now < self._deadline:
            left = math.ceil(self._deadline - now)
            if left != self._left:
                self._left = left
                self._out.report("stopping", left=left)
            return
        reached, refused = self._family.send(KILL)
        if self._killed_at is None:
            self._killed_at = now
            self._report("SIGKILL", reached, refused, "")
        self.given_up = now - self._killed_at > KILLING

    def _report(self, name: str, reached: int, refused: int, then: str) -> None:
        but = f"; {_processes(refused)} of another user cannot be ended" if refused else ""
        self._out.remark(
            f"netlab: {name} to {_processes(reached)}{but}{then}", "warning" if name == "SIGKILL" else "info"
        )


def _processes(count: int) -> str:
    return f"{count} process" if count == 1 else f"{count} processes"
