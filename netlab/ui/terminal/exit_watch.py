"""Ends the app on a signal or when its terminal goes away, whatever the screen's threads do.

A thread waits for both. The interpreter's C handler writes a signal's number to a pipe at once, in any thread, so
neither the main thread nor the event loop has to run. The screen is asked to leave; if it has not left in time, the
children are ended, the terminal is restored, and the process exits.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from netlab.platforms import READABLE, never_block, poll
from netlab.ui.terminal.terminal_modes import Modes, discard_output, modes_of, reopened, restore

SECONDS = 2.0
"""How long the screen and the labs may take to leave; the last resort then takes at most 0.4 s."""
HANGUP = 1
"""The number of SIGHUP."""
HEED = b"\xff"
"""No signal's number: in the pipe, it stands between interrupts that are ignored and those that are not."""
GIVEN_BACK = (
    b"\x1b\\\x1b[?2004l\x1b[?7h\x1b[?2048l\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l\x1b[<u"
    b"\x1b[?1049l\x1b[?25h\x1b[?1004l"
)
"""Ends any unfinished sequence, then undoes the modes that Textual's driver sets."""


def ending_signals() -> list[signal.Signals]:
    """The signals that end the app."""
    ending = [signal.SIGTERM, signal.SIGINT]
    if sys.platform != "win32":
        ending.append(signal.SIGHUP)
    return ending


class ExitWatch:
    """Watches from `begin` on. Until `hand_over`, a signal ends the process at once: nothing has been drawn yet."""

    def __init__(self) -> None:
        self.ended_by = 0
        """The number of the signal that ends the app; 0 if none has."""
        self.screen_taken = False
        """Whether the terminal shows the app; set by the driver."""
        self.last_resort: list[Callable[[], None]] = []
        """Functions that end the children and remove files if nothing else runs; each must return within 0.2 s."""
        self._interrupts_ignored = False
        self.at_last = False
        """Whether the last resort is running: then nothing else may write to the terminal."""
        self._end: Callable[[int], object] | None = None
        self._deadline: float | None = None
        self._status: int | None = None
        self._modes: Modes | None = None
        self._reading = self._writing = -1
        self._signals = frozenset(map(int, ending_signals()))

    def begin(self) -> None:
        """Start to watch. Call it in the main thread, before anything is started or drawn."""
        self._modes = modes_of(0)
        self._reading, self._writing = os.pipe()
        never_block(self._writing)
        self.take_signals()
        threading.Thread(target=self._watch, name="exit watch", daemon=True).start()

    def take_signals(self) -> None:
        """Install the signal handlers, also after something else has replaced them."""
        for number in ending_signals():
            signal.signal(number, _noted)
        signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)

    def ignore_interrupts(self) -> None:
        """Ignore ctrl+c: it is meant for a program that has the terminal meanwhile, such as an editor."""
        self._interrupts_ignored = True

    def heed_interrupts(self) -> None:
        """Heed ctrl+c again, but none that came before, even if the watching thread has yet to see it."""
        try:
            os.write(self._writing, HEED)
        except OSError:  # nothing watches, or the pipe is full of signals
            self._interrupts_ignored = False

    def hand_over(self, end: Callable[[int], object]) -> None:
        """From now on, call ``end`` in the watching thread with the number of the signal that ends the app."""
        self._end = end

    def leaving(self, status: int) -> None:
        """The screen has left by itself: start the clock for everything else. Only the first status counts.

        While the last resort is running, which ends the process, this does not return.
        """
        if self._status is None:
            self._status = status
        self._start_clock()
        while self.at_last:
            time.sleep(1)

    def ask(self, number: int) -> None:
        """End the app for this signal. Only the first one counts."""
        if self.ended_by:
            return
        self.ended_by, self._status = number, 128 + number
        self._start_clock()
        if self._end is None:
            self._exit()
        with contextlib.suppress(RuntimeError):  # the loop is closed: the app is leaving
            self._end(number)

    def _start_clock(self) -> None:
        if self._deadline is None and self._writing >= 0:
            self._deadline = time.monotonic() + SECONDS
            with contextlib.suppress(BlockingIOError):  # the pipe is full, so the thread wakes up anyway
                os.write(self._writing, b"\0")

    def _watch(self) -> None:
        if sys.platform != "win32":  # restoring a terminal from the background must not stop the process
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTTOU])
        watching = poll()
        watching.register(self._reading, READABLE)
        watching.register(0, 0)  # poll always reports a terminal that is gone
        while True:
            left = None if self._deadline is None else self._deadline - time.monotonic()
            if left is not None and left <= 0:
                self._exit()
            for file, _ in watching.poll(None if left is None else left * 1000 + 1):
                if file == self._reading:
                    self._take(os.read(file, 256))
                else:
                    # Only a controlling terminal sends SIGHUP; for any other, this is the only sign.
                    watching.unregister(file)
                    self.screen_taken = False
                    self.ask(HANGUP)

    def _take(self, numbers: bytes) -> None:
        for number in numbers:
            if number == HEED[0]:
                self._interrupts_ignored = False
            elif number in self._signals and not (self._interrupts_ignored and number == signal.SIGINT):
                self.ask(number)

    def _exit(self) -> NoReturn:
        """End the process without any other thread."""
        self.at_last = True
        for step in (*self.last_resort, self._give_back):
            with contextlib.suppress(Exception):
                step()
        os._exit(self._status or 0)

    def _give_back(self) -> None:
        """Restore the terminal, without waiting if it does not read."""
        if self._modes is None:
            return
        restore(0, self._modes)
        if self.screen_taken:
            _write_soon(sys.__stderr__.fileno() if sys.__stderr__ is not None else 2, GIVEN_BACK)


def _write_soon(terminal: int, text: bytes) -> None:
    """Write after discarding unread output, which would block."""
    file = reopened(terminal)
    for _ in range(20):
        discard_output(file)
        try:
            if os.write(file, text) == len(text):
                return
        except BlockingIOError:  # another thread has just written
            time.sleep(0.01)


def _noted(number: int, frame: FrameType | None) -> None:
    """Do nothing: the wake-up byte reaches the watching thread."""


WATCH = ExitWatch()
"""The process's only watch: there is one set of signal handlers."""
