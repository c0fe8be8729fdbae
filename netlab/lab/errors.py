"""What can go wrong with a lab, each in one sentence: what, why, and what to try.

It knows errnos and ports, no process and no session.
"""

from __future__ import annotations

import errno
import os

from netlab.capture.model import Transport
from netlab.dissect.text import safe
from netlab.lab.processes.port_owner import port_holder


class LabError(Exception):
    """Something that a person asked for and the lab could not do.

    ``problem`` says what and why, ``advice`` what to try.
    """

    def __init__(self, problem: str, advice: str = "") -> None:
        super().__init__(f"{problem}; {advice}" if advice else problem)
        self.problem = problem
        self.advice = advice


def cannot_listen(host: str, port: int, number: int, text: str, transport: Transport) -> LabError:
    """Why nobody could listen there; ``number`` is the errno and ``text`` the system's own words for it."""
    if number == errno.EADDRINUSE:
        holder = port_holder(port, transport)
        by = f" by PID {holder.pid} ({holder.name})" if holder else ""
        return LabError(f"port {port} is already in use{by}", ":port 0 takes any free port")
    if number in (errno.EACCES, errno.EPERM):
        return LabError(f"port {port} may not be opened without more rights", ":port 0 takes any free port")
    if number == errno.EADDRNOTAVAIL:
        return LabError(f"{safe(host)} is not an address of this computer", "127.0.0.1 is always one")
    reason = safe(text) or (os.strerror(number) if number else "no reason was given")
    return LabError(f"could not listen on {safe(host)} port {port}: {reason}", ":port 0 takes any free port")
