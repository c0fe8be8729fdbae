"""Drives clients that exchange plain bytes: one thread, which waits for all their sockets and for the schedule."""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush

from netlab.capture.model import Endpoint
from netlab.load import failures
from netlab.load.generator.exchange_client import ANSWERED, WAITING, ExchangeClient, Outcome
from netlab.load.generator.pace import Pace
from netlab.load.generator.watch import Watch
from netlab.load.plan import PlainBytes

CONNECTING = 1.0
"""Seconds that kept connections may take before the first request is planned."""
REST = 0.01
"""Seconds that a client of a closed loop waits after a failure: else a refusing server would be asked without end."""


class ExchangeDriver:
    """The clients of a run, those that are free and those that are not."""

    def __init__(self, pace: Pace, operation: PlainBytes, address: Endpoint) -> None:
        self._pace, self._counts, self._clock = pace, pace.counts, pace.clock
        self._closed, self._keep = pace.plan.closed, pace.plan.keep
        self._watch = Watch()
        self._clients = [ExchangeClient(operation, address, self._watch) for _ in range(pace.plan.clients)]
        self._of: dict[int, ExchangeClient] = {}
        self._free = deque(self._clients)
        self._resting: list[tuple[float, int, ExchangeClient]] = []
        self._next, self._in_flight = 0, 0

    def run(self) -> None:
        """Do all of the plan, and wait for the last answers."""
        if self._keep:
            self._connect_all()
        pace, clock = self._pace, self._clock
        clock.start()
        if self._closed:
            self._spread()
        now = 0.0
        while now < pace.end:
            self._begin_due(now)
            self._serve(min(self._until(), pace.next_tick) - clock.now())
            now = clock.now()
            if now >= pace.next_tick:
                self._tick(now)
        self._finish(now)

    def _connect_all(self) -> None:
        for client in self._clients:
            try:
                client.connect()
            except OSError:
                continue  # its first request fails, and counts
            self._of[client.fd] = client
        self._clock.start()
        while any(client.connecting for client in self._clients) and (left := CONNECTING - self._clock.now()) > 0:
            self._serve(left)

    def _spread(self) -> None:
        """Let the clients of a closed loop begin one after another during the ramp."""
        plan = self._pace.plan
        self._free.clear()
        for number, client in enumerate(self._clients):
            heappush(self._resting, (plan.ramp * number / plan.clients, number, client))

    def _until(self) -> float:
        """When the next request is to leave."""
        if self._resting:
            return self._resting[0][0]
        times = self._pace.times
        if self._closed or not self._free or self._next == len(times):
            return self._pace.end
        return times[self._next]

    def _begin_due(self, now: float) -> None:
        free, times, pace = self._free, self._pace.times, self._pace
        while self._resting and self._resting[0][0] <= now:
            free.append(heappop(self._resting)[2])
        if self._closed:
            while free and now < pace.end:
                self._begin(free.popleft(), self._clock.now())
            return
        due = min(now, pace.end)
        while free and self._next < len(times) and times[self._next] <= due:
            self._next += 1
            self._begin(free.popleft(), times[self._next - 1])

    def _begin(self, client: ExchangeClient, planned: float) -> None:
        client.planned, client.sent = planned, self._clock.now()
        self._counts.left(planned, client.free, client.sent)
        self._in_flight += 1
        fd = client.fd
        outcome = client.begin()
        if client.fd != fd:
            self._of[client.fd] = client
        if outcome is not WAITING:
            self._settle(client, outcome)

    def _serve(self, seconds: float) -> None:
        for fd, mask in self._watch.ready(seconds):
            client = self._of.get(fd)
            if client is not None and (outcome := client.ready(mask)) is not WAITING:
                self._settle(client, outcome)

    def _settle(self, client: ExchangeClient, outcome: Outcome) -> None:
        """A request has its outcome, or an idle connection has ended."""
        if not client.busy:
            self._drop(client)
            return
        now = self._clock.now()
        if outcome is ANSWERED:
            self._counts.answered(client.planned, client.sent, now)
            if not self._keep:
                self._drop(client)
        elif outcome is failures.TIMED_OUT:
            self._counts.unanswered(failures.TIMED_OUT, client.planned, client.sent, now)
            self._drop(client)
        else:
            self._counts.failed(str(outcome))
            self._drop(client)
        client.busy, client.free = False, now
        self._in_flight -= 1
        if self._closed and outcome is not ANSWERED:
            heappush(self._resting, (now + REST, id(client), client))
        else:
            self._free.append(client)

    def _drop(self, client: ExchangeClient) -> None:
        self._of.pop(client.fd, None)
        client.close()

    def _tick(self, now: float) -> None:
        for client in self._clients:
            if client.busy and now - client.sent > self._pace.plan.timeout:
                self._settle(client, failures.TIMED_OUT)
        self._pace.tick(now, self._in_flight)

    def _finish(self, now: float) -> None:
        """Send what waits and wait for the answers that are still to come, unless somebody asked to end."""
        pace, clock = self._pace, self._clock
        planned = 0 if self._closed else pace.planned(pace.end)
        while not pace.stopped and (self._in_flight or (self._next < planned and now < pace.last)):
            if now < pace.last:
                self._begin_due(now)
            self._serve(pace.next_tick - clock.now())
            now = clock.now()
            if now >= pace.next_tick:
                self._tick(now)
        pace.close(self._next, now, self._in_flight)
