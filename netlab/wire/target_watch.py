"""Lets clients be refused while nothing listens where the wire relays to, as they would be without a wire.

The kernel is asked who listens, so that no server meets a connection that is only a probe. It can be asked about this
computer alone, on Linux; elsewhere the wire accepts a client, cannot connect, and resets it.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import closing
from typing import Final

from netlab.kernel.sock_diag import listeners, taking, unavailable
from netlab.names import Addresses, family_of, is_loopback
from netlab.wire.loop import Loop

WHILE_THERE: Final = 0.1
"""Seconds between two looks while the server is there …"""
WHILE_ABSENT: Final = 0.01
"""… and while it is not: the first client after it came is not to be refused. After a minute, five times as much."""
A_MINUTE: Final = 60.0


class TargetWatch:
    """Looks for the server's listening socket. ``change`` is called with whether the wire is to take clients."""

    def __init__(self, loop: Loop, change: Callable[[bool], None]) -> None:
        self._loop, self._change = loop, change
        self._targets: Addresses = ()
        self._timer = 0
        self._gone = 0.0
        self.absent = False

    def watch(self, targets: Addresses) -> None:
        """Begin with these targets, or stop if there are none."""
        if self._timer:
            self._loop.take_back(self._timer)
        here = bool(targets) and all(is_loopback(host) for host, _ in targets) and not unavailable()
        self._targets, self._timer, self.absent = targets if here else (), 0, False
        if here:
            self._look()

    def _look(self) -> None:
        self._timer = 0
        there = self._is_there()
        if not there and not self.absent and self._answers():
            return  # something listens that the kernel does not show, such as a container's port: believe that
        now = time.monotonic()
        if there is self.absent:
            self.absent, self._gone = not there, now
            self._change(there)
            if not self._targets:  # it was stopped
                return
        waiting = WHILE_ABSENT if now - self._gone < A_MINUTE else 5 * WHILE_ABSENT
        self._timer = self._loop.call_at(now + (waiting if self.absent else WHILE_THERE), self._look)

    def _is_there(self) -> bool:
        try:
            return bool(taking(listeners(self._targets[0].port), self._targets))
        except OSError:
            return True  # not known: clients are accepted, and reset if they cannot be served

    def _answers(self) -> bool:
        """Whether one of the targets takes a connection."""
        for target in self._targets:
            with closing(socket.socket(family_of(target.host), socket.SOCK_STREAM)) as probe:
                probe.settimeout(WHILE_THERE)
                if probe.connect_ex(target) == 0:
                    return True
        return False
