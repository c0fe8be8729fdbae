"""Runs a person's own code in a thread, and waits for it only so long.

An endless loop of Python is ended by an exception in its thread. Code that never comes back to Python, as a regular
expression may not, cannot be ended: then nothing more of it is run, and it goes on until netlab ends.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import TypeVar, cast

T = TypeVar("T")
SECONDS = 2.0
_TO_END = 0.5
"""Seconds that a thread has to end once it was asked to."""


class TookTooLong(Exception):
    """The code did not end in time."""


class _Ended(BaseException):
    """Raised in a thread whose time is up; no ``except Exception`` catches it."""


class _Job:
    """One call, and what came of it."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work
        self.done = threading.Event()
        self.result: object = None
        self.error: BaseException | None = None

    def run(self) -> None:
        """Do it, in the thread."""
        try:
            self.result = self._work()
        except BaseException as error:  # noqa: BLE001 - a person's own code may raise anything, SystemExit too
            self.error = error
        self.done.set()


class TimedThread:
    """A thread for a person's own code. Calls wait for each other."""

    def __init__(self, name: str, seconds: float = SECONDS) -> None:
        self._name, self._seconds = name, seconds
        self._lock = threading.Lock()
        self._jobs: SimpleQueue[_Job | None] | None = None
        self._thread: threading.Thread | None = None
        self.stuck = False
        """A call could not be ended; nothing more is run."""

    def call(self, work: Callable[[], T]) -> T:
        """What the code returns; raises what it raises, or `TookTooLong`."""
        with self._lock:
            if self.stuck:
                raise TookTooLong("it still runs, and cannot be stopped: save the file again once it is mended")
            job = _Job(work)
            self._queue().put(job)
            if not job.done.wait(self._seconds):
                self._end(job)
                raise TookTooLong(f"it ran for more than {self._seconds:g} s, and was stopped")
        if job.error is None:
            return cast("T", job.result)
        raise job.error if isinstance(job.error, Exception) else RuntimeError(f"it raised {type(job.error).__name__}")

    def _queue(self) -> SimpleQueue[_Job | None]:
        if self._jobs is None or self._thread is None or not self._thread.is_alive():
            self._jobs = SimpleQueue()
            self._thread = threading.Thread(target=_serve, args=(self._jobs,), name=self._name, daemon=True)
            self._thread.start()
        return self._jobs

    def _end(self, job: _Job) -> None:
        """End what the thread runs; the thread ends with it."""
        import ctypes  # late: it is seldom needed

        thread = self._thread
        assert thread is not None  # it runs the job
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(_Ended))
        self.stuck = not job.done.wait(_TO_END)
        if self._jobs is not None:
            self._jobs.put(None)
        self._jobs = self._thread = None


def _serve(jobs: SimpleQueue[_Job | None]) -> None:
    with suppress(_Ended):  # it may come when the call is just over
        while (job := jobs.get()) is not None:
            job.run()
