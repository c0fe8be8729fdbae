"""Which processes serve: who holds the listening sockets, what those have started, and which one has a connection."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from netlab.dissect.text import safe
from netlab.kernel.holders import descendants, holders, process
from netlab.lab.sampling.budget import Budget

FORWARDERS: Final = frozenset({"docker-proxy", "rootlessport", "slirp4netns", "pasta", "ssh", "sshd", "kubectl"})
"""Names of programs that listen in the name of a server elsewhere (the kernel keeps 15 bytes of a name)."""
_EVERY, _SEARCH_EVERY = 1.0, 5.0
"""Seconds between two looks at the known processes, and between two searches for others among all of the person's."""
_REMEMBERED: Final = 4096


@dataclass(frozen=True, slots=True)
class ServerProcesses:
    """The processes of a server, as far as they are the person's own. ``name`` is safe for the screen."""

    pids: frozenset[int] = frozenset()
    name: str = ""
    threads: int = 0

    @property
    def forwarder(self) -> bool:
        """Whether it only passes on."""
        return self.name in FORWARDERS


class ProcessLook:
    """Finds the processes of one server, now and then."""

    def __init__(self) -> None:
        self.found = ServerProcesses()
        self._search, self._count, self._connections = Budget(_SEARCH_EVERY), Budget(_EVERY), Budget(0.0)
        self._inodes: frozenset[int] = frozenset()
        self._holders: frozenset[int] = frozenset()
        self._of: OrderedDict[int, int] = OrderedDict()  # the process that has a connection, by the socket's inode

    @property
    def spent(self) -> float:
        """Seconds that this has taken so far; it is bounded by itself."""
        return self._search.spent + self._count.spent + self._connections.spent

    def look(self, inodes: Iterable[int], pid: int | None) -> ServerProcesses:
        """Who holds these listening sockets: ``pid`` and what it started, or else any of the person's processes."""
        wanted = frozenset(inodes)
        searched = self._search.due or (wanted != self._inodes and self._search.affordable)
        if searched:
            with self._search.spend():
                self._inodes = wanted
                among = descendants(pid) if pid is not None else None
                self._holders = frozenset().union(*holders(wanted, among).of.values())
        if searched or self._count.due:
            with self._count.spend():
                self.found = _serving(self._holders)
        return self.found

    def holder_of(self, inode: int) -> int | None:
        """The process that has this connection, if that is known by now."""
        return self._of.get(inode)

    def find_holders(self, inodes: Collection[int]) -> None:
        """Find the processes that have these connections, if they are not known."""
        new = {inode for inode in inodes if inode and inode not in self._of}
        if not new or not self.found.pids or not self._connections.due:
            return
        with self._connections.spend():
            for inode, pids in holders(new, among=self.found.pids).of.items():
                if pids:  # a connection that was passed on through a fork: the youngest serves it
                    self._of[inode] = pids[-1]
        while len(self._of) > _REMEMBERED:
            self._of.popitem(last=False)


def _serving(holding: Collection[int]) -> ServerProcesses:
    """All that hold the sockets and what they have started. The first of them gives the name."""
    families = {holder: descendants(holder) for holder in holding}
    alive = {each: there for each in frozenset().union(*families.values()) if (there := process(each)) is not None}
    first = max(families, key=lambda holder: (len(families[holder]), -holder), default=0)
    name = safe(alive[first].name) if first in alive else ""
    return ServerProcesses(frozenset(alive), name, sum(each.threads for each in alive.values()))
