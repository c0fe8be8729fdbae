"""How a server's process is stopped: by a signal, or by the end of a supervisor's input. It knows no server."""

from __future__ import annotations

import math
import os
import signal
import sys
import time
from types import FrameType

TICK = 0.1
"""Seconds between two alarms; what they cost is negligible."""
GRACE = 1.5
"""Seconds that stopping may take before the process just exits."""


class Stopped(KeyboardInterrupt):
    """A signal, or the end of a supervisor's standard input, asked the server to stop."""


class Shutdown:
    """How the server is stopped: an exception from a signal handler leaves whatever the main thread waits in.

    Python swallows such an exception where it meets a callback that cannot raise (a destructor, `os.register_at_fork`);
    so it is raised again until it is `noticed`. While the process forks it is held back, or the server would not learn
    of its new child. If stopping takes longer than the grace, the process just exits.
    """

    def __init__(self) -> None:
        self.noticed = False
        self.held = False
        self.deadline = math.inf

    def catch_signals(self) -> None:
        """SIGTERM and SIGINT stop the server; a forked child of it simply ends."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.stop)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=self.hold, after_in_parent=self.release, after_in_child=_default_signals)

    def hold(self) -> None:
        """A fork begins."""
        self.held = True

    def release(self) -> None:
        """A fork ends. A signal that came meanwhile is handled before this function's first line."""
        self.held = False

    def stop(self, number: int, frame: FrameType | None) -> None:
        """Stop, when asked for the first time."""
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, signal.SIG_IGN)
        self.deadline = time.monotonic() + GRACE
        if sys.platform != "win32":
            signal.signal(signal.SIGALRM, self.insist)
            signal.setitimer(signal.ITIMER_REAL, TICK, TICK)
        self.insist(number, frame)

    def insist(self, number: int, frame: FrameType | None) -> None:
        """Stop, unless it is already stopping."""
        if time.monotonic() > self.deadline:
            os._exit(0)
        if not (self.noticed or self.held):
            raise Stopped

    def over(self) -> None:
        """The process ends now: no more alarms, which would kill it once the interpreter has removed its handlers."""
        self.noticed = True
        if sys.platform != "win32":
            signal.setitimer(signal.ITIMER_REAL, 0)


def _default_signals() -> None:
    if sys.platform != "win32":
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
            signal.signal(number, signal.SIG_DFL)
