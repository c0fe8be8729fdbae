"""Textual's drivers, made to outlive a bad terminal: one that sends no UTF-8, too much, or is gone."""

from __future__ import annotations

import asyncio
import os
import select
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Protocol, cast

from textual import events
from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.driver import Driver
from textual.errors import TextualError
from textual.message import Message

from netlab.ui.keys.type_ahead import KeyTurns
from netlab.ui.terminal.exit_watch import WATCH, ending_signals
from netlab.ui.terminal.input_queue import InputQueue
from netlab.ui.terminal.terminal_input import InputKind, Pasted, TerminalInput
from netlab.ui.terminal.terminal_modes import reopened

try:
    from textual.drivers.linux_driver import LinuxDriver
except ImportError:  # no termios: nothing is shown, as `netlab` says before it comes here
    LinuxDriver = Driver  # type: ignore[misc, assignment]  # stands in its place so that this module can be imported

CHUNK = 4096
LULL = 0.05
"""Seconds without input that end a burst."""
AT_ONCE = 64
"""Events that the app gets in one go, before it has answered those before. It draws between two goes."""
BUSY = 0.002
"""Seconds between two looks whether it has."""


class HearsOfInput(Protocol):
    """What the driver reports to the app."""

    def input_lost(self, lost: Counter[InputKind]) -> None:
        """So much input was left out."""

    def thread_failed(self, error: BaseException) -> None:
        """A thread of the driver has crashed."""


class PacedDriver(Driver):
    """Hands input to the app as fast as the app answers it, and has it said what was left out."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)  # type: ignore[arg-type]  # as the app makes it
        self.queue = InputQueue()
        self._handing_over = False

    def send_message(self, message: Message) -> None:
        """Let it wait for its turn. Called by the input's thread."""
        self.queue.put(message)
        if not self._handing_over:
            self._handing_over = True
            with suppress(RuntimeError):  # the loop is closed: the app has ended
                self._loop.call_soon_threadsafe(self._hand_over)

    def say_what_was_lost(self) -> None:
        """The input rests: what was left out of it is told."""
        if lost := self.queue.take_lost():
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(cast(HearsOfInput, self._app).input_lost, lost)

    def _hand_over(self) -> None:
        self._handing_over = False
        for _ in range(max(0, AT_ONCE - self._unanswered())):
            message = self.queue.take()
            if message is None:
                return
            self._app.post_message(message)
        self._handing_over = True
        self._loop.call_later(BUSY, self._hand_over)

    def _unanswered(self) -> int:
        """How many messages the app has before it, wherever input passes."""
        app = self._app
        waiting = app.waiting_keys if isinstance(app, KeyTurns) else 0
        with suppress(TextualError):  # no screen yet, or no more
            on_the_way = {app, app.screen, app.focused, app.mouse_over}
            return waiting + sum(node.message_queue_size for node in on_the_way if node is not None)
        return waiting + app.message_queue_size


class TerminalDriver(PacedDriver, LinuxDriver):
    """The driver of a terminal."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)
        file = sys.__stderr__.fileno() if sys.__stderr__ is not None else 2
        self._file: Any = _Screen(file)  # the thread that writes wants no more of it

    def start_application_mode(self) -> None:
        """Take the terminal."""
        WATCH.screen_taken = True
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual's has no annotations

    def close(self) -> None:
        """All is written: the terminal is given back."""
        super().close()
        WATCH.screen_taken = False

    def _sigcont_application(self, *_: object) -> None:
        """The process goes on: draw again. The kernel says so, too, when it has hung up; then nothing is drawn.

        Not in the signal's handler: what waits for the terminal there stops the event loop.
        """
        if self._auto_restart and not WATCH.ended_by:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._go_on)

    def _go_on(self) -> None:
        if WATCH.ended_by or self._app._exit:
            return
        if not self._must_signal_resume:  # stopped from outside, without a word to us
            self.suspend_application_mode()
        self.resume_application_mode()
        self._app.refresh(layout=True)

    def run_input_thread(self) -> None:
        """Read until the app leaves. A terminal that is gone is the exit watch's concern."""
        parser = XTermParser(self._debug)
        source = TerminalInput(self.queue.room, self.queue.lost)
        waited = LULL
        while not self.exit_event.is_set():
            if not self._readable(waited):
                waited = 0.1
                self._pass_on(parser, source.rest())
                self.say_what_was_lost()
            elif data := self._read():
                waited = LULL
                self._pass_on(parser, source.feed(data, more=self._readable(0)))
            else:
                self.exit_event.wait(0.1)
            for event in parser.tick():
                self.process_message(event)
        with suppress(EOFError, ParseError):
            for _ in parser.feed(""):
                pass

    def _readable(self, seconds: float) -> bool:
        return bool(select.select([self.fileno], [], [], seconds)[0])

    def _read(self) -> bytes:
        with suppress(OSError):
            return os.read(self.fileno, CHUNK)
        return b""

    def _pass_on(self, parser: XTermParser, pieces: Iterator[str | Pasted]) -> None:
        for piece in pieces:
            if isinstance(piece, Pasted):
                self.process_message(events.Paste(piece.text))
            elif piece:
                for event in parser.feed(piece):
                    self.process_message(event)

    def _run_input_thread(self) -> None:
        """As Textual's own, but a crash is no success."""
        try:
            self.run_input_thread()
        except BaseException as error:  # noqa: BLE001 - nobody reads keys any more, whatever it was
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(cast(HearsOfInput, self._app).thread_failed, error)


class _Screen:
    """Where the driver writes: the terminal, as long as it is there.

    Never inside a write that waits: it would hold the terminal's lock, and nobody could give the terminal back.
    """

    def __init__(self, file: int) -> None:
        self._file, self._gone = file, False
        with suppress(OSError):  # a terminal without a name, as one of another container
            self._file = reopened(file)

    def write(self, text: str) -> None:
        """Write all of it; a terminal that is gone takes everything."""
        self.write_bytes(text.encode("utf-8", "replace"))

    def write_bytes(self, text: bytes) -> None:
        """The same."""
        data = memoryview(text)
        while data and not self._gone and not WATCH.at_last:
            try:
                data = data[os.write(self._file, data[:CHUNK]) :]
            except BlockingIOError:
                select.select([], [self._file], [], 0.1)
            except OSError:
                self._gone = True

    def flush(self) -> None:
        """Everything was written already."""

    def fileno(self) -> int:
        """The terminal."""
        return self._file


def web_driver(found: type[Driver]) -> type[Driver]:
    """A driver that serves the app to a browser, with signals left to the exit watch."""

    class WebDriver(PacedDriver, found):  # type: ignore[misc, valid-type]  # imported only where it is used
        def __init__(self, *arguments: object, **options: object) -> None:
            super().__init__(*arguments, **options)
            self._write = _Screen(self.fileno).write_bytes

        def start_application_mode(self) -> None:
            found.start_application_mode(self)
            loop = asyncio.get_running_loop()
            for number in ending_signals():
                loop.remove_signal_handler(number)
            WATCH.take_signals()

    return WebDriver
