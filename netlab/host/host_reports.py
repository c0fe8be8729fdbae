"""What the supervising child writes to standard output: an event per line, as JSON. It never waits long for a reader.

Standard library only, but for what makes text safe.
"""

from __future__ import annotations

import json
import os
import select
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from netlab.dissect.text import safe

LONGEST_TEXT: Final = 700
"""Characters of a line: as JSON it still fits PIPE_BUF, so that writing it is atomic (pipe(7))."""
PATIENCE: Final = 0.5
"""Seconds that a full pipe may take to be read before an event is lost."""
AT_ONCE: Final = 1000
"""Lines of output that are passed on at once; of more, so many are in each step of time, and the others are counted."""
STEP, IN_A_STEP = 0.25, 75
"""Seconds, and lines: what the screen can draw while it answers keys."""


def bounded(text: str) -> str:
    """Text that is safe for the screen and not too long."""
    return safe(text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…")


class HostReports:
    """Events for the supervisor. If nobody reads, lines of output are lost and counted; so are those of a flood."""

    def __init__(self) -> None:
        self._left_out, self._newest_left_out = 0, ""
        self._step, self._allowed = 0, AT_ONCE

    def report(self, event: str, **fields: object) -> None:
        """Report something that matters."""
        self._write({"event": event, **fields}, PATIENCE)

    def output(self, text: str) -> None:
        """Report a line that the program has written."""
        if not self._room() or not self._count_left_out() or not self._log("info", text, 0):
            self._left_out, self._newest_left_out = self._left_out + 1, text

    def remark(self, text: str, level: str = "warning") -> None:
        """Report a line of netlab's own."""
        self._log(level, text, PATIENCE)

    def catch_up(self, *, at_last: bool = False) -> None:
        """After a flood, count what was left out, and report the newest of it; ``at_last`` in any case."""
        if not self._left_out or not (at_last or self._room()):
            return
        self._left_out -= 1
        if self._count_left_out():
            self._log("info", self._newest_left_out, 0)
        else:
            self._left_out += 1

    def _room(self) -> bool:
        """Whether another line may be passed on now; it counts as passed on."""
        step = int(time.monotonic() / STEP)
        self._allowed = min(AT_ONCE, self._allowed + (step - self._step) * IN_A_STEP)
        self._step = step
        if not self._allowed:
            return False
        self._allowed -= 1
        return True

    def _count_left_out(self) -> bool:
        """Count the lines that were left out, before the next one; False if nobody reads."""
        count = self._left_out
        if count and not self._log("warning", f"{count:,} lines were left out: they came too fast", 0):
            return False
        self._left_out = 0
        return True

    def _log(self, level: str, text: str, patience: float) -> bool:
        return self._write({"event": "log", "time_ns": time.time_ns(), "level": level, "text": bounded(text)}, patience)

    @staticmethod
    def _write(event: Mapping[str, object], patience: float) -> bool:
        with suppress(OSError):  # the supervisor is gone; the program still has to be ended
            if select.select([], [1], [], patience)[1]:
                os.write(1, (json.dumps(event, ensure_ascii=False) + "\n").encode(errors="backslashreplace"))
                return True
        return False
