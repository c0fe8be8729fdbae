"""Who holds a port: read from ``/proc`` (Linux), so that "already in use" can name the program.

Formats: proc(5), ``/proc/net/tcp`` and ``/proc/[pid]/fd``. Bounded in time; what cannot be read stays unknown.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from netlab.capture.model import Transport
from netlab.dissect.text import safe
from netlab.lab.errors import LabError

TIME_LIMIT = 0.3
_PROC = Path("/proc")
# The state that marks a socket as the port's holder: TCP_LISTEN, and for datagrams TCP_CLOSE (bound, not connected).
_TABLES = {Transport.TCP: (("tcp", "tcp6"), "0A"), Transport.UDP: (("udp", "udp6"), "07")}


class CannotListen(LabError):
    """The wire cannot listen where it was asked to."""


@dataclass(frozen=True, slots=True)
class PortOwner:
    """The process that holds a port: its id and its short name, safe for the screen."""

    pid: int
    name: str


def port_owner(port: int, transport: Transport = Transport.TCP) -> PortOwner | None:
    """The process that listens on ``port`` (any address); None if that is not known within 0.3 s."""
    try:
        links = {f"socket:[{inode}]" for inode in _inodes(port, transport)}
        return _owner(links, time.monotonic() + TIME_LIMIT) if links else None
    except OSError:
        return None


def _inodes(port: int, transport: Transport) -> Iterator[str]:
    names, wanted = _TABLES[transport]
    for table in (_PROC / "net" / name for name in names):
        if not table.exists():
            continue
        for line in table.read_text().splitlines()[1:]:
            columns = line.split()
            if columns[3] == wanted and int(columns[1].rpartition(":")[2], 16) == port:
                yield columns[9]


def _owner(links: set[str], deadline: float) -> PortOwner | None:
    for entry in os.scandir(_PROC):
        if time.monotonic() > deadline:
            break
        if entry.name.isdigit() and _has_open(entry.path, links):
            name = (_PROC / entry.name / "comm").read_text(errors="replace").strip()
            return PortOwner(int(entry.name), safe(name))
    return None


def _has_open(process: str, links: set[str]) -> bool:
    try:
        return any(_link(Path(entry)) in links for entry in os.scandir(f"{process}/fd"))
    except OSError:  # another user's process, or one that has just ended
        return False


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""


def cannot_listen(host: str, port: int, number: int, text: str, transport: Transport) -> CannotListen:
    """Why listening there failed; ``number`` is the errno and ``text`` the system's own words for it."""
    if number == errno.EADDRINUSE:
        holder = port_owner(port, transport)
        by = f" by PID {holder.pid} ({holder.name})" if holder else ""
        return CannotListen(f"port {port} is already in use{by}", ":port 0 takes any free port")
    if number in (errno.EACCES, errno.EPERM):
        return CannotListen(f"port {port} needs more rights than this program has", ":port 0 takes any free port")
    if number == errno.EADDRNOTAVAIL:
        return CannotListen(f"{safe(host)} is not an address of this computer", "127.0.0.1 is always one")
    reason = safe(text) or (os.strerror(number) if number else "no reason was given")
    return CannotListen(f"could not listen on {safe(host)} port {port}: {reason}", ":port 0 takes any free port")
