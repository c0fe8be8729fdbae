"""Ends the app when a signal asks for it or its terminal goes away, whatever the screen's threads do.

A thread of its own waits for both. The interpreter's C handler writes a signal's number to a pipe at once, in any
thread, so neither the main thread nor the event loop has to run. The screen is asked to leave; where it has not left
when its time is over, the children are ended, the terminal is given back, and the process exits.
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
"""How long the screen and the labs may take to leave; the last resort then takes 0.4 s at most."""
HANGUP = 1
"""The number of SIGHUP."""
GIVEN_BACK = (
    b"\x1b\\\x1b[?2004l\x1b[?7h\x1b[?2048l\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l\x1b[<u"
    b"\x1b[?1049l\x1b[?25h\x1b[?1004l"
)
"""Undoes what Textual's driver asks of the terminal, behind the end of a sequence that was cut off."""


def ending_signals() -> list[signal.Signals]:
    """The signals that end the app."""
    ending = [signal.SIGTERM, signal.SIGINT]
    if sys.platform != "win32":
        ending.append(signal.SIGHUP)
    return ending


class ExitWatch:
    """Watches from `begin` on. Until `hand_over` a signal ends the process at once; nothing was drawn yet then."""

    def __init__(self) -> None:
        self.ended_by = 0
        """The number of the signal that ends the app; 0 while none does."""
        self.screen_taken = False
        """Whether the terminal shows the app; the driver says so."""
        self.last_resort: list[Callable[[], None]] = []
        """What ends the children and removes files when nothing else may run; each must return within 0.2 s."""
        self.at_last = False
        """Whether the last resort is under way: nobody else writes to the terminal any more."""
        self._end: Callable[[int], object] | None = None
        self._deadline: float | None = None
        self._status = 0
        self._modes: Modes | None = None
        self._reading = self._writing = -1
        self._signals = frozenset(map(int, ending_signals()))

    def begin(self) -> None:
        """Watch. To be called in the main thread, before anything is started or drawn."""
        self._modes = modes_of(0)
        self._reading, self._writing = os.pipe()
        never_block(self._writing)
        self.take_signals()
        threading.Thread(target=self._watch, name="exit watch", daemon=True).start()

    def take_signals(self) -> None:
        """Have the signals come here; again, where something else took them."""
        for number in ending_signals():
            signal.signal(number, _noted)
        signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)

    def hand_over(self, end: Callable[[int], object]) -> None:
        """From now on ``end`` is called, in the watching thread, with the number of the signal that ends the app."""
        self._end = end

    def leaving(self, status: int) -> None:
        """The screen has left by itself: what still has to end gets its time, too."""
        self._status = status
        self._start_clock()

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
            with contextlib.suppress(BlockingIOError):  # full: the watching thread wakes up anyway
                os.write(self._writing, b"\0")

    def _watch(self) -> None:
        if sys.platform != "win32":  # giving back a terminal from the background must not stop the process
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTTOU])
        watching = poll()
        watching.register(self._reading, READABLE)
        watching.register(0, 0)  # that the terminal is gone is reported without being asked for
        while True:
            left = None if self._deadline is None else self._deadline - time.monotonic()
            if left is not None and left <= 0:
                self._exit()
            for file, _ in watching.poll(None if left is None else left * 1000 + 1):
                if file == self._reading:
                    self._take(os.read(file, 256))
                else:
                    # A process gets SIGHUP only from the terminal that controls it; of any other this is the only sign.
                    watching.unregister(file)
                    self.screen_taken = False
                    self.ask(HANGUP)

    def _take(self, numbers: bytes) -> None:
        for number in numbers:
            if number in self._signals:
                self.ask(number)

    def _exit(self) -> NoReturn:
        """End the process without the help of any other thread."""
        self.at_last = True
        for step in (*self.last_resort, self._give_back):
            with contextlib.suppress(Exception):
                step()
        os._exit(self._status)

    def _give_back(self) -> None:
        """The terminal as it was, if it is there; without waiting for one that does not read."""
        if self._modes is None:
            return
        restore(0, self._modes)
        if self.screen_taken:
            _write_soon(sys.__stderr__.fileno() if sys.__stderr__ is not None else 2, GIVEN_BACK)


def _write_soon(terminal: int, text: bytes) -> None:
    """Write in place of what the terminal has not read yet, which would keep us waiting."""
    file = reopened(terminal)
    for _ in range(20):
        discard_output(file)
        try:
            text = text[os.write(file, text) :]
        except BlockingIOError:  # another thread has just written
            time.sleep(0.01)
        if not text:
            return


def _noted(number: int, frame: FrameType | None) -> None:
    """A signal is the watching thread's; only its wake-up byte matters."""


WATCH = ExitWatch()
"""The process's own: there is one set of signal handlers."""
