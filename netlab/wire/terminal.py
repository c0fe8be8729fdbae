"""What the bare command prints: where it listens, a line when a flow begins or ends, a summary."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from typing import Final

from netlab.capture.unread import count_of
from netlab.capture.writer import Tally
from netlab.dissect.text import safe
from netlab.names import Addresses, is_loopback
from netlab.platforms import WRITABLE, ready
from netlab.wire.addresses import in_words
from netlab.wire.facts import (
    Captured,
    Fact,
    FaultsChanged,
    FlowClosed,
    FlowOpened,
    ListenFailed,
    Listening,
    TargetAbsent,
    Troubled,
)

LINES_A_SECOND: Final = 20
"""Further lines are counted, not printed."""


class FactPrinter:
    """Prints facts as lines for a person. ``ended`` is called when nobody reads them anymore, as after ``| head``."""

    def __init__(self, file: int, ended: Callable[[], None]) -> None:
        self._file, self._ended = file, ended
        self._second = 0.0
        self._printed = self._skipped = 0
        self._last = Captured(0, Tally(), "")

    def report(self, fact: Fact) -> None:
        """Print what a person wants to know at once."""
        match fact:
            case Captured():
                if fact.note != self._last.note and fact.note:
                    self._write(fact.note)
                self._last = fact
            case Listening(addresses, targets):
                self._print_listening(addresses, in_words(targets))
            case ListenFailed(address, number, text):
                text = "port in use; port 0 takes any free one" if number == errno.EADDRINUSE else text
                self._write(f"netlab wire: cannot listen on {address}: {text}", 2)
            case TargetAbsent(target):
                self._write(f"netlab wire: nothing listens at {target}: clients are refused", 2)
            case Troubled(text) if text:
                self._write(f"netlab wire: {text}", 2)
            case FlowOpened(number, client):
                self._bounded(f"flow {number} opened by {client}")
            case FlowClosed(number, to_server, to_client, how):
                ending = f" ({how})" if how else ""
                self._bounded(f"flow {number} closed: → {to_server} bytes, ← {to_client} bytes{ending}")
            case FaultsChanged(active):
                self._write(f"faults: {', '.join(active) or 'none'}")
            case _:
                pass

    @property
    def captured(self) -> Captured:
        """The capture as it was last reported."""
        return self._last

    def summary(self, capture: str = "") -> None:
        """The counters, and a sentence about the ``capture``."""
        self._print_skipped()
        tally = self._last.tally
        self._write(
            f"{tally.flows} flows, {tally.segments} segments, → {tally.to_server} bytes, ← {tally.to_client} bytes"
        )
        if tally.let_go:
            which = "the oldest " if self._last.files else ""
            what = "let go" if self._last.files else "not kept"
            self._write(f"{which}{count_of(tally.let_go, 'segment')} were {what}")
        if capture:
            self._write(capture)

    def _print_listening(self, addresses: Addresses, target: str) -> None:
        """Print the addresses; warn if other machines can reach one."""
        for address in addresses:
            self._write(f"listening on {address} → {target}")
        for address in addresses:
            if not is_loopback(address.host):
                warning = f"{address.host} is not loopback: other machines can reach the server through this wire"
                self._write(f"netlab wire: warning: {warning}", 2)

    def _bounded(self, line: str) -> None:
        """Print at most `LINES_A_SECOND`: nobody reads a flood of connections."""
        now = time.monotonic()
        if now - self._second >= 1:
            self._second, self._printed = now, 0
            self._print_skipped()
        if self._printed >= LINES_A_SECOND:
            self._skipped += 1
            return
        self._printed += 1
        self._write(line)

    def _print_skipped(self) -> None:
        if self._skipped and _writable(self._file):
            self._write(f"… {self._skipped} more lines not printed")
            self._skipped = 0

    def _write(self, line: str, file: int | None = None) -> None:
        file = self._file if file is None else file
        if not _writable(file):  # a reader that is slow must not stop traffic
            self._skipped += 1
            return
        try:
            os.write(file, (safe(line) + "\n").encode("utf-8", "replace"))
        except OSError:
            self._ended()


def _writable(file: int) -> bool:
    """Whether a line can be written at once."""
    try:
        return ready(file, WRITABLE)
    except (OSError, ValueError):
        return True  # writing will show
