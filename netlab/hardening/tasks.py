"""What an asyncio server needs besides: a limit on each client's silence, and quiet words for what no task reports."""

from __future__ import annotations

import asyncio
import logging
from types import TracebackType
from typing import Any

from netlab.hardening.patience import LONGEST_WAIT, Deadline, Patience

log = logging.getLogger(__name__)


class Watchdog:
    """Ends the task in an ``async with`` by a `TimeoutError` when it is not renewed for as long as the patience.

    A timer looks now and then: `asyncio.timeout` would have to be set again for each message, and that takes time.
    """

    def __init__(self, patience: Patience) -> None:
        self._deadline = Deadline(patience)
        self.renew = self._deadline.renew
        self._over = False

    async def __aenter__(self) -> Watchdog:
        self._task = asyncio.current_task()
        self._look()
        return self

    def _look(self) -> None:
        try:
            left = self._deadline.left()
        except TimeoutError:
            self._over = True
            assert self._task is not None  # it runs in one
            self._task.cancel()
        else:
            self._timer = asyncio.get_running_loop().call_later(min(left, LONGEST_WAIT), self._look)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._over and self._task is not None and self._task.uncancel() == 0 and kind is asyncio.CancelledError:
            raise TimeoutError(f"silent for {self._deadline.seconds:g} s") from error


class Complaints:
    """Logs, in a line each, the errors of an event loop that belong to no task."""

    def __init__(self) -> None:
        self._starved = 0.0

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """As the loop's exception handler. What ends the server, as Ctrl+C does, is no complaint."""
        error = context.get("exception")
        if isinstance(error, OSError):
            if loop.time() > self._starved:
                log.warning("nobody can be accepted for now: %s", error.strerror)
            self._starved = loop.time() + 3  # the loop tries again each second, and complains each time
        elif isinstance(error, ValueError) and "_start_serving" in context["message"]:
            pass  # nobody could be accepted, and the port was closed before the loop tried again
        elif isinstance(error, Exception):
            log.error("%s: %r", context["message"], error)
