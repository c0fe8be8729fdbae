"""Textual's drivers, made robust: the terminal may send invalid UTF-8 or too much input, or go away."""

from __future__ import annotations

import asyncio
import os
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

from netlab.platforms import READABLE, WRITABLE, ready
from netlab.ui.keys.type_ahead import TypeAhead
from netlab.ui.terminal.exit_watch import WATCH, ending_signals
from netlab.ui.terminal.input_queue import InputQueue
from netlab.ui.terminal.terminal_input import InputKind, Pasted, TerminalInput
from netlab.ui.terminal.terminal_modes import reopened

try:
    from textual.drivers.linux_driver import LinuxDriver
except ImportError:  # no termios: `netlab` has reported that before
    LinuxDriver = Driver  # type: ignore[misc, assignment]  # a stand-in, so that this module can be imported

CHUNK = 4096
LULL = 0.05
"""Seconds without input that end a burst."""
AT_ONCE = 64
"""At most this many events wait for the app at a time. It draws in between."""
BUSY = 0.002
"""Seconds between two checks whether the app takes more."""


class InputReceiver(Protocol):
    """What the driver reports to the app."""

    def input_lost(self, lost: Counter[InputKind]) -> None:
        """Input was dropped."""

    def thread_failed(self, error: BaseException) -> None:
        """A thread of the driver has crashed."""


class QueueingDriver(Driver):
    """Passes input to the app as fast as the app handles it, and reports dropped input."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)  # type: ignore[arg-type]  # as the app makes it
        self.queue = InputQueue()
        self._handing_over = False

    def send_message(self, message: Message) -> None:
        """Queue a message. Called by the input's thread."""
        self.queue.put(message)
        if not self._handing_over:
            self._handing_over = True
            with suppress(RuntimeError):  # the loop is closed: the app has ended
                self._loop.call_soon_threadsafe(self._hand_over)

    def say_what_was_lost(self) -> None:
        """Report the input that was dropped, once no more comes."""
        if lost := self.queue.take_lost():
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(cast(InputReceiver, self._app).input_lost, lost)

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
        """How many messages wait for the app, in every queue that input passes."""
        app = self._app
        waiting = app.waiting_keys if isinstance(app, TypeAhead) else 0
        with suppress(TextualError):  # there is no screen, at the start or the end
            on_the_way = {app, app.screen, app.focused, app.mouse_over}
            return waiting + sum(node.message_queue_size for node in on_the_way if node is not None)
        return waiting + app.message_queue_size


class TerminalDriver(QueueingDriver, LinuxDriver):
    """The driver of a terminal."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)
        file = sys.__stderr__.fileno() if sys.__stderr__ is not None else 2
        self._file: Any = _Screen(file)  # the writing thread needs no more of a file

    def start_application_mode(self) -> None:
        """Take over the terminal."""
        WATCH.screen_taken = True
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual's has no annotations

    def close(self) -> None:
        """Everything is written, and the terminal is restored; unless the last resort has to do it."""
        super().close()
        if not WATCH.at_last:
            WATCH.screen_taken = False

    def _sigcont_application(self, *_: object) -> None:
        """The process continues: draw again, unless the terminal has hung up, for which the kernel sends SIGCONT, too.

        Not in the signal handler: waiting for the terminal there would block the event loop.
        """
        if self._auto_restart and not WATCH.ended_by:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._go_on)

    def _go_on(self) -> None:
        if WATCH.ended_by or self._app._exit:
            return
        if not self._must_signal_resume:  # stopped by a signal that cannot be caught
            self.suspend_application_mode()
        self.resume_application_mode()
        self._app.refresh(layout=True)

    def run_input_thread(self) -> None:
        """Read until the app leaves. The exit watch handles a terminal that is gone."""
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
        return ready(self.fileno, READABLE, seconds)

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
        """As Textual's own, but a crash ends the app with an error."""
        try:
            self.run_input_thread()
        except BaseException as error:  # noqa: BLE001 - after any error nothing reads the keys
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(cast(InputReceiver, self._app).thread_failed, error)


class _Screen:
    """The driver's output: the terminal, as long as it exists.

    It never blocks in a write: that would hold the terminal's lock, and the terminal could not be restored.
    """

    def __init__(self, file: int) -> None:
        self._file, self._gone = file, False
        with suppress(OSError):  # a terminal without a name, such as another container's
            self._file = reopened(file)

    def write(self, text: str) -> None:
        """Write all of the text; if the terminal is gone, discard it."""
        self.write_bytes(text.encode("utf-8", "replace"))

    def write_bytes(self, text: bytes) -> None:
        """Write all of the bytes; if the terminal is gone, discard them."""
        data = memoryview(text)
        while data and not self._gone and not WATCH.at_last:
            try:
                data = data[os.write(self._file, data[:CHUNK]) :]
            except BlockingIOError:
                ready(self._file, WRITABLE, 0.1)
            except OSError:
                self._gone = True

    def flush(self) -> None:
        """Do nothing: everything has been written."""

    def fileno(self) -> int:
        """The terminal's descriptor."""
        return self._file


def web_driver(found: type[Driver]) -> type[Driver]:
    """A driver that serves the app to a browser and leaves signals to the exit watch."""

    class WebDriver(QueueingDriver, found):  # type: ignore[misc, valid-type]  # imported only where it is used
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
