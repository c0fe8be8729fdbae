"""A process for each client, bounded. A module of its own, since Windows has no `socketserver.ForkingMixIn`."""

from __future__ import annotations

import logging
import math
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from typing import Any

log = logging.getLogger(__name__)


if sys.platform != "win32":
    from socketserver import ForkingMixIn

    class BoundedForkingMixIn(ForkingMixIn):
        """A process for each client, and at most 40. Not for a process with threads: forking that is unsafe."""

        request_queue_size = 128
        first_byte = math.inf
        max_children = 40
        socket: socket.socket

        def finish_request(self, request: Any, client_address: Any) -> None:
            """Serve a client, in its process."""
            self.socket.close()  # the child's copy, else the port is taken for as long as the client stays
            super().finish_request(request, client_address)  # type: ignore[misc]  # the server's, next in the MRO

        def collect_children(self, *, blocking: bool = False) -> None:
            """Reap our own children; the mixin's ``waitpid(-1)`` would take the exit status of anybody's child."""
            full = False
            while self.active_children:
                for pid in tuple(self.active_children):
                    with suppress(ChildProcessError):
                        if os.waitpid(pid, 0 if blocking else os.WNOHANG) == (0, 0):
                            continue
                    self.active_children.discard(pid)
                if len(self.active_children) < self.max_children:
                    break
                if not full:
                    log.warning("%d clients are served, and no more at once: the next one waits", self.max_children)
                full = True
                time.sleep(0.02)  # accept nobody

        def server_close(self) -> None:
            """Close the port and end the children."""
            for pid in self.active_children or ():
                os.kill(pid, signal.SIGKILL)  # a SIGTERM that meets a child just forked is lost
            super().server_close()

else:

    class BoundedForkingMixIn:
        """Windows cannot fork: there is no such server."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            raise OSError("this system has no os.fork, to make a process per client")
