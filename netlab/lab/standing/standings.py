"""Where a server's threads, processes and tasks stand in its code, as its process reports it. Nothing here runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from netlab.capture.model import Endpoint
from netlab.dissect.text import safe

MOST_STANDS = 400
"""Places in one process that are kept."""


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file, by the name that the file has in the source pane: ``tcp/server_single.py``.

    With line 0 no line of the file runs, but ``method``, which the class ``of`` inherits and which stands elsewhere.
    """

    file: str
    line: int
    of: str = ""
    method: str = ""


@dataclass(frozen=True, slots=True)
class Stand:
    """Threads, processes or tasks (``what``) at the same place: the innermost line in each file, lines first.

    ``clients`` are those whose connections they serve, ``others`` the number of those that serve none. ``what`` is
    ``main`` for the main thread, ``loop`` for a thread that runs an event loop, ``thread``, ``task`` or ``process``.
    """

    places: tuple[Place, ...]
    what: str
    clients: tuple[Endpoint, ...] = ()
    others: int = 0


@dataclass(frozen=True, slots=True)
class Standings:
    """Everything that stands somewhere. ``waiting`` are the clients in the accept queue, the first one first.

    ``left_out`` is how many threads and tasks were not looked at, because there are too many.
    """

    stands: tuple[Stand, ...] = ()
    waiting: tuple[Endpoint, ...] = ()
    left_out: int = 0

    @property
    def clients(self) -> frozenset[Endpoint]:
        """Those whose connections something serves."""
        return frozenset(client for stand in self.stands for client in stand.clients)

    def renamed(self, name: Callable[[Endpoint], Endpoint]) -> Standings:
        """The same with other addresses of clients."""
        stands = (replace(stand, clients=tuple(map(name, stand.clients))) for stand in self.stands)
        return replace(self, stands=tuple(stands))


class StandingReports:
    """Takes the reports of a server's process and of its forked children, which may come in parts."""

    def __init__(self) -> None:
        self.latest: Standings | None = None
        """None before the first report."""
        self._complete: dict[int, tuple[Stand, ...]] = {}
        self._parts: dict[int, list[Stand]] = {}
        self._left_out: dict[int, int] = {}

    def clear(self) -> None:
        """Nothing is reported any more."""
        self.latest = None
        self._complete, self._parts, self._left_out = {}, {}, {}

    def take(self, message: Mapping[str, object], server: int) -> None:
        """A report; ``server`` is the process id of the server itself, which knows its children."""
        pid = message.get("pid")
        if not isinstance(pid, int):
            return
        stands = self._parts.setdefault(pid, [])
        stands += list(_stands(message.get("stands")))[: MOST_STANDS - len(stands)]
        if message.get("more") is True:
            return
        self._complete[pid] = tuple(self._parts.pop(pid))
        left_out, children = message.get("left_out"), message.get("children")
        self._left_out[pid] = left_out if isinstance(left_out, int) else 0
        if pid == server and isinstance(children, list):
            self._complete = {each: at for each, at in self._complete.items() if each in (server, *children)}
        everything = (stand for each in sorted(self._complete) for stand in self._complete[each])
        self.latest = Standings(tuple(everything), (), sum(self._left_out[each] for each in self._complete))


def _stands(value: object) -> Iterator[Stand]:
    for each in value if isinstance(value, list) else ():
        match each:
            case {"at": list(places), "what": str(what), "peers": list(peers), "others": int(others)}:
                yield Stand(tuple(_places(places)), safe(what)[:20], tuple(_peers(peers)), others)


def _places(rows: list[object]) -> Iterator[Place]:
    for row in rows:
        match row:
            case [str(file), int(line), str(of), str(method)]:
                yield Place(safe(file), line, safe(of), safe(method))


def _peers(rows: list[object]) -> Iterator[Endpoint]:
    for row in rows:
        match row:
            case [str(host), int(port)]:
                yield Endpoint(safe(host), port)
