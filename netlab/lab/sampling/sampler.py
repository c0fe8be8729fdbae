"""Looks at a lab's server through the kernel, ten times a second, in a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from netlab.capture.model import Endpoint, Transport
from netlab.kernel.sock_diag import unavailable
from netlab.lab.sampling.datagram_look import DatagramLook
from netlab.lab.sampling.stream_look import StreamLook
from netlab.lab.sampling.subject import Measures, Subject, WireFlows
from netlab.lab.server_sockets import ServerSockets

TICK: Final = 0.1
"""Seconds between two looks while there are clients."""
AT_REST: Final = 0.5
"""Seconds between two looks while there are none, or while nothing has changed for `QUIET` looks."""
QUIET: Final = 10
SPARING: Final = 20
"""A look that takes long is followed by this many times its duration without one."""


class Sampler:
    """The thread and what it looks at. ``publish`` is called from it, with each look's result.

    ``subject`` returns the server, or None while there is none to look at.
    """

    def __init__(
        self,
        subject: Callable[[], Subject | None],
        flows: WireFlows,
        measure: Measures,
        publish: Callable[[ServerSockets | None], None],
    ) -> None:
        self._subject, self._flows, self._measure, self._publish = subject, flows, measure, publish
        self._wake, self._end = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._looked_at: Subject | None = None
        self._look: StreamLook | DatagramLook | None = None
        self._watched: frozenset[Endpoint] = frozenset()

    def start(self) -> None:
        """Begin, unless it has begun or this system's kernel cannot be asked."""
        if self._thread is None and not unavailable():
            self._thread = threading.Thread(target=self._run, name="kernel sampler", daemon=True)
            self._thread.start()
        self.wake()

    def watch(self, clients: frozenset[Endpoint]) -> None:
        """Look at the flows of these clients one by one, and at no others'."""
        if clients != self._watched:
            self._watched = clients
            self.wake()

    def wake(self) -> None:
        """Look soon: something has changed. Any thread."""
        self._wake.set()

    def stop(self) -> None:
        """End the thread. Does nothing the second time."""
        self._end.set()
        self._wake.set()

    def _run(self) -> None:
        quiet, before = 0, None
        while not self._end.is_set():
            began = time.monotonic()
            self._wake.clear()
            sockets, budgeted = self._sample()
            self._publish(sockets)
            self._end.wait(max(TICK, (time.monotonic() - began - budgeted) * SPARING))
            quiet, before = quiet + 1 if sockets == before else 0, sockets
            if not self._flows.any_open or (quiet >= QUIET and not self._flows.undecided(1)):
                self._wake.wait(AT_REST - TICK)

    def _sample(self) -> tuple[ServerSockets | None, float]:
        """What the kernel says, and the seconds that were spent on what has a budget of its own."""
        subject = self._subject()
        if subject is None:
            return None, 0.0
        if subject != self._looked_at or self._look is None:
            self._looked_at = subject
            stream = subject.transport is Transport.TCP
            self._look = StreamLook(subject, self._flows, self._measure) if stream else DatagramLook(subject)
        before = self._look.spent
        try:
            sockets = self._look.look(self._watched, time.time_ns())
        except OSError as error:
            sockets = ServerSockets(subject.server, unknown=f"the kernel does not say ({error.strerror or error})")
        return sockets, self._look.spent - before
