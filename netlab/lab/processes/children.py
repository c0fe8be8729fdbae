"""The child processes of a lab, which must not outlive it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol, TypeVar

from netlab.lab.errors import LabError
from netlab.lab.processes import child


class Started(Protocol):
    """What was started."""

    @property
    def child(self) -> child.Child | None:
        """Its process; None if it needs none."""


P = TypeVar("P", bound=Started)


class Children:
    """Starts processes until it is closed, and then ends all of them. Safe from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started: list[child.Child] = []
        self._closed = False

    def launch(self, make: Callable[[], P]) -> P:
        """Start a process; raises `LabError` if none can be started, or the lab is closed."""
        with self._lock:
            self.refuse_if_closed()
            try:
                process = make()
            except OSError as error:
                raise LabError(f"no process could be started: {error.strerror}", "close some programs") from None
            started = [*self._started, process.child]
            self._started = [each for each in started if each is not None and not each.ended.is_set()]
            return process

    def refuse_if_closed(self) -> None:
        """Raise `LabError` once it is closed."""
        if self._closed:
            raise LabError("the lab is closed", "make another one")

    def close(self) -> None:
        """End what was started, and start nothing else."""
        with self._lock:
            self._closed = True
        child.stop(*self._started)
