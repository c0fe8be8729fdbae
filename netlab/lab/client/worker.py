"""A thread that runs jobs one after another and, while idle, watches one descriptor."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from netlab.lab.client.cancellable_socket import Wake
from netlab.platforms import READABLE, poll


@dataclass(frozen=True, slots=True)
class Watched:
    """A descriptor, the poll events to wait for, and the seconds after which one looks in any case (None: never)."""

    fd: int
    events: int
    seconds: float | None = None


class Worker:
    """A daemon thread with a queue. ``watched`` gives what to watch while it is idle, or None; ``look`` is called in
    the thread when something has happened there; ``at_end`` is called last.
    """

    def __init__(
        self, name: str, watched: Callable[[], Watched | None], look: Callable[[], None], at_end: Callable[[], None]
    ) -> None:
        self._jobs: deque[tuple[Callable[[], object], Future[object]]] = deque()
        self._wakeup = Wake()
        self._over = False
        self._watched, self._look, self._at_end = watched, look, at_end
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """The number of waiting jobs."""
        return len(self._jobs)

    def ask(self, job: Callable[[], object]) -> Future[object]:
        """Run a job after those that wait. The future is cancelled if the job is forgotten or the thread has ended."""
        future: Future[object] = Future()
        self._jobs.append((job, future))
        if self._over:
            self.forget()
        self._wakeup.set()
        return future

    def forget(self) -> int:
        """Forget the waiting jobs; returns their number."""
        count = 0
        while self._jobs:
            try:
                self._jobs.popleft()[1].cancel()
            except IndexError:  # the thread took it first
                break
            count += 1
        return count

    def close(self, seconds: float) -> None:
        """End the thread after its current job; wait for it up to ``seconds``."""
        self._over = True
        self.forget()
        self._wakeup.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(seconds)

    def _run(self) -> None:
        while not self._over:
            try:
                job, future = self._jobs.popleft()
            except IndexError:
                self._sleep()
            else:
                _settle(job, future)
        self.forget()
        self._at_end()

    def _sleep(self) -> None:
        watch = poll()
        watch.register(self._wakeup, READABLE)
        watched = self._watched()
        if watched is not None:
            watch.register(watched.fd, watched.events)
        seconds = watched.seconds if watched is not None else None
        ready = {found for found, _ in watch.poll(None if seconds is None else seconds * 1000)}
        self._wakeup.clear()
        if watched is not None and (watched.fd in ready or not ready):
            self._look()


def _settle(job: Callable[[], object], future: Future[object]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = job()
    except Exception as error:  # noqa: BLE001 - whatever a client raises goes to the caller that waits
        future.set_exception(error)
    else:
        future.set_result(result)
