"""The base of netlab's apps on a terminal: a robust driver, and a failure status after a crash."""

from __future__ import annotations

import asyncio
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Callable
from functools import partial

from rich.console import RenderableType
from textual.app import App
from textual.driver import Driver

from netlab.ui.terminal.exit_watch import WATCH
from netlab.ui.terminal.terminal_driver import TerminalDriver, web_driver
from netlab.ui.terminal.terminal_input import InputKind

SCREENS_OWN = "textual"
"""The prefix of the names of Textual's own threads."""
CRASHES_SHOWN = 10
"""How many exceptions of threads are kept until the app has left: one thread may raise any number."""


class TerminalApp(App[None]):
    """An app on a terminal, or in a browser."""

    failed = False
    """Whether something crashed."""

    def get_driver_class(self) -> type[Driver]:
        """Textual's driver, made robust."""
        found = super().get_driver_class()
        if issubclass(TerminalDriver, found):
            return TerminalDriver
        return web_driver(found) if found.__module__.endswith("web_driver") else found

    def input_lost(self, lost: Counter[InputKind]) -> None:
        """Report dropped input."""
        counts = " and ".join(f"{count:,} {kind.value}" for kind, count in lost.items())
        self.notify(
            f"Input came faster than it can be handled: {counts} were dropped.", title="input", severity="warning"
        )

    def thread_failed(self, error: BaseException) -> None:
        """A thread that the screen needs has crashed: leave, and show why."""
        from rich.traceback import Traceback  # late: it imports pygments

        self.failed = True
        self.exit(return_code=1, message=Traceback.from_exception(type(error), error, error.__traceback__))

    def panic(self, *renderables: RenderableType) -> None:
        """Leave with an error."""
        self.failed = True
        super().panic(*renderables)

    def _fatal_error(self) -> None:
        self.failed = True
        super()._fatal_error()


def play(app: TerminalApp, close: Callable[[], object] = lambda: None) -> int:
    """Run the app until a key or a signal ends it, then call ``close`` to end what it has started.

    Returns the exit status: 0, 128 + signal, or 1 after a crash, also of a thread that ends only with ``close``.
    """
    crashed: list[str] = []
    threading.excepthook = partial(_note_crash, app, crashed)
    asyncio.run(_play(app))
    WATCH.leaving(_status(app, crashed))
    close()
    if crashed:
        sys.stderr.write("".join(crashed))
    return _status(app, crashed)


def _status(app: TerminalApp, crashed: list[str]) -> int:
    """A signal counts first: the app may fail because it ends while it is mounting."""
    return 128 + WATCH.ended_by if WATCH.ended_by else 1 if app.failed or crashed else app.return_code or 0


async def _play(app: TerminalApp) -> None:
    loop = asyncio.get_running_loop()

    def end(number: int) -> None:
        loop.call_soon_threadsafe(partial(app.exit, return_code=128 + number))

    WATCH.hand_over(end)
    await app.run_async()


def _note_crash(app: TerminalApp, crashed: list[str], failure: threading.ExceptHookArgs) -> None:
    """Keep a thread's uncaught exception until the app has left; if the thread is Textual's own, leave now."""
    error, thread = failure.exc_value, failure.thread
    if error is None or isinstance(error, SystemExit):
        return
    if thread is not None and thread.name.startswith(SCREENS_OWN):
        app.call_later(app.thread_failed, error)
    elif len(crashed) < CRASHES_SHOWN:
        crashed.append("".join(traceback.format_exception(error)))
