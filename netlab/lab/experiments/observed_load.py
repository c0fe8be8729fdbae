"""A load that goes on beside an experiment, in a thread of its own. It knows no generator: one is handed in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from netlab.lab.experiments.runner import CheckStop
from netlab.lab.lab import Lab
from netlab.topics.experiment import Load, LoadFound, LoadPoint

_LOOK_EVERY = 0.02
OnPoint = Callable[[LoadPoint], None]


class BlockingLoad(Protocol):
    """A load that is done by the thread that calls it."""

    def run(self) -> LoadFound:
        """Do it."""

    def cancel(self) -> None:
        """End it early, from any thread; also before `run`."""


MakeLoad = Callable[[Lab, Load, OnPoint], BlockingLoad]
"""Makes a load on a lab. Raises `LabError` where it cannot be measured."""


class ObservedLoad:
    """A load as an experiment sees it."""

    def __init__(self, make: Callable[[OnPoint], BlockingLoad], check_stop: CheckStop) -> None:
        self._check_stop = check_stop
        self._points: list[LoadPoint] = []
        self._found: LoadFound | None = None
        self._problem: Exception | None = None
        self._load = make(self._points.append)
        self._thread = threading.Thread(target=self._do, name="load of an experiment", daemon=True)
        self._thread.start()

    @property
    def points(self) -> Sequence[LoadPoint]:
        """The tenths of a second so far."""
        return self._points

    def wait(self) -> LoadFound:
        """Wait for its end. Raises what went wrong."""
        try:
            while self._thread.is_alive():
                self._check_stop()
                self._thread.join(_LOOK_EVERY)
        except BaseException:
            self.close()
            raise
        if self._problem is not None:
            raise self._problem
        assert self._found is not None  # it ended without a problem
        return self._found

    def end(self) -> LoadFound:
        """End it now; what it has found so far."""
        self._load.cancel()
        return self.wait()

    def close(self) -> None:
        """End it, whatever it found. A second call does nothing."""
        self._load.cancel()
        self._thread.join()

    def _do(self) -> None:
        try:
            self._found = self._load.run()
        except Exception as error:  # noqa: BLE001 - the experiment's own thread raises it
            self._problem = error
