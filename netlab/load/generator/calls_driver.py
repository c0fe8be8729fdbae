"""Drives a topic's clients: a thread each, since a recipe's client waits in its calls."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from importlib import import_module
from inspect import signature

from netlab.capture.model import Endpoint
from netlab.lab.client.connection import Notes
from netlab.lab.client.operations import invoke, is_remote, operations_of
from netlab.load import failures
from netlab.load.generator.pace import Pace
from netlab.load.plan import Calls
from netlab.load.points import INTERVAL
from netlab.topics.contract import Client

CONNECTING = 1.0
"""Seconds that kept connections may take before the first request is planned."""
REST = 0.01
"""Seconds that a client of a closed loop waits after a failure."""
GRACE = 0.5
"""Seconds beyond the timeout after which a call is given up."""
_LOOK = 0.05  # seconds that a thread sleeps at most before it looks whether the run has ended


class WrongAnswer(Exception):
    """The server sent something else."""


class CallsDriver:
    """The threads of a run. They append what happens to `_news`; the main thread counts it."""

    def __init__(self, pace: Pace, operation: Calls, address: Endpoint, keywords: Mapping[str, object]) -> None:
        self._pace, self._plan, self._clock, self._operation = pace, pace.plan, pace.clock, operation
        kind = import_module(f"{operation.package}.client").Client
        self._remote, self._operations = is_remote(kind), operations_of(kind)
        given = {"timeout": self._plan.timeout, **keywords}
        if "grace" in signature(kind).parameters:  # a wait for a refusal, which the first answer shows as well
            given["grace"] = 0.001
        log = Notes(lambda text: None)
        self._open: Callable[[], Client] = partial(kind, (address.host, address.port), log=log, **given)
        self._news: deque[tuple[str, float, float, float]] = deque()
        self._lock, self._next = threading.Lock(), 0
        self._ready = threading.Semaphore(0)
        self._start, self._over = threading.Event(), threading.Event()
        self._under_way: dict[int, tuple[float, float]] = {}

    def run(self) -> None:
        """Do all of the plan, and wait for the last answers."""
        clients = self._plan.clients
        for number in range(clients):
            threading.Thread(target=self._work, args=(number,), daemon=True).start()
        deadline = time.monotonic() + CONNECTING
        for _ in range(clients):
            if not self._ready.acquire(timeout=max(0.0, deadline - time.monotonic())):
                break
        self._clock.start()
        self._start.set()
        self._finish(self._let_send())

    def _let_send(self) -> float:
        """Until all that was planned has left, or must no longer leave."""
        pace, now = self._pace, 0.0
        while now < pace.end or (not pace.stopped and now < pace.last and pace.counts.sent < pace.planned(now)):
            now = self._tick()
        self._over.set()
        return now

    def _finish(self, now: float) -> None:
        """Wait for the last answers, unless somebody asked to end."""
        pace, last = self._pace, now + self._plan.timeout + GRACE
        while self._under_way and not pace.stopped and now < last:
            now = self._tick()
        self._count()
        for planned, sent in list(self._under_way.values()) if not pace.stopped else ():
            pace.counts.unanswered(failures.TIMED_OUT, planned, sent, now)
        pace.close(pace.counts.sent, now, len(self._under_way))

    def _tick(self) -> float:
        time.sleep(max(0.0, min(self._pace.next_tick, self._pace.end + INTERVAL) - self._clock.now()))
        self._count()
        now = self._clock.now()
        self._pace.tick(now, len(self._under_way))
        return now

    def _count(self) -> None:
        counts = self._pace.counts
        while self._news:
            what, planned, sent, done = self._news.popleft()
            if what == "":
                counts.answered(planned, sent, done)
            elif what == _LEFT:
                counts.left(planned, sent, done)
            elif what == failures.TIMED_OUT:
                counts.unanswered(what, planned, sent, done)
            else:
                counts.failed(what)

    # In a client's thread

    def _work(self, number: int) -> None:
        client = self._try_to_open() if self._plan.keep else None
        self._ready.release()
        self._start.wait()
        if self._plan.closed:
            self._sleep_until(self._plan.ramp * number / self._plan.clients)
        free = self._clock.now()
        while (planned := self._take()) is not None and self._sleep_until(planned):
            sent = self._clock.now()
            self._under_way[number] = planned, sent
            self._news.append((_LEFT, planned, free, sent))
            client, kind = self._request(client)
            free = self._clock.now()
            self._news.append((kind, planned, sent, free))
            if client is not None and (kind or not self._plan.keep):
                client = self._closed(client)
            self._under_way.pop(number, None)
            if kind and self._plan.closed:
                self._sleep_until(free + REST)
            free = self._clock.now()

    def _try_to_open(self) -> Client | None:
        with suppress(Exception):  # its first request fails, and counts
            return self._open()
        return None

    def _take(self) -> float | None:
        """The planned time of the next request; None if there is none."""
        if self._over.is_set():
            return None
        if self._plan.closed:
            return self._clock.now()
        with self._lock:
            if self._next == len(self._pace.times):
                return None
            self._next += 1
            return self._pace.times[self._next - 1]

    def _sleep_until(self, when: float) -> bool:
        while (left := when - self._clock.now()) > 0:
            if self._over.is_set():
                return False
            time.sleep(min(left, _LOOK))
        return True

    def _request(self, client: Client | None) -> tuple[Client | None, str]:
        """One request; the client after it, and the kind of failure or ``""``."""
        try:
            if client is None:
                client = self._open()
            self._call(client)
        except WrongAnswer:
            return client, failures.WRONG
        except Exception as error:  # noqa: BLE001 - whatever a client raises is a kind of failure
            return client, failures.kind_of(error)
        return client, ""

    def _call(self, client: Client) -> None:
        got: object = None
        for call in self._operation.calls:
            got = invoke(client, call, self._operations, remote=self._remote)
        expected = self._operation.echo
        while isinstance(got, bytes) and isinstance(expected, bytes) and len(got) < len(expected):
            if not got or not expected.startswith(got):
                break
            more = invoke(client, self._operation.calls[-1], self._operations, remote=self._remote)
            if not more or not isinstance(more, bytes):
                raise EOFError
            got += more
        if got == b"":
            raise EOFError
        if expected is not None and got != expected:
            raise WrongAnswer

    @staticmethod
    def _closed(client: Client) -> None:
        with suppress(Exception):
            client.close()


_LEFT = "left"
