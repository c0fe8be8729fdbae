"""Who is who on both sides of the wire: the server sees the wire's address where the lab shows the client's.

The wire reports both addresses of each flow; log lines of the server get the client's. Pure but for one timer.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from netlab.capture.model import Endpoint
from netlab.dissect.text import safe
from netlab.lab.processes.child import Message
from netlab.lab.state import HeldSegment, LogLine
from netlab.topics.peer_event import PeerEvent

FLOWS_KEPT = 10_000
LINES_HELD = 1000
HOLDS_KEPT = 1000
PATIENCE = 0.15
"""Seconds that a log line waits for the wire to report whose address it has."""
EXPLAINING = 0.5
"""Seconds that a client whose connection has ended waits for the server to say why."""
REPORTING = 0.15
"""The same for the wire, if the server says nothing."""
MOMENT = 2_000_000_000
"""Nanoseconds after a hold during which its effects are put down to it."""
_LOOPBACK = frozenset({"127.0.0.1", "::1"})
"""Where the wire connects from."""


@dataclass(frozen=True, slots=True)
class FlowRecord:
    """One flow of the wire. Times are nanoseconds since the epoch, None if it has not happened or is not known.

    ``number`` counts from 1 since the wire began. ``client`` is its address, ``upstream`` what the server sees instead.
    ``opened`` is when the wire took it, ``accepted`` when the server logged that, ``closed`` when it was over on the
    wire; ``how`` says in a few words how, if the end was unusual. If the server logs nothing, the kernel was asked now
    and then: it was accepted after ``accepted_after`` and by ``accepted``. ``unreached`` says that the wire did not
    reach the server. ``ending`` is what the server said of its end, ``restart`` what a person did to its server
    meanwhile, ``by_wire`` that the wire ended it then.
    """

    number: int
    client: Endpoint
    upstream: Endpoint
    opened: int
    accepted: int | None = None
    accepted_after: int | None = None
    closed: int | None = None
    how: str = ""
    by_fault: bool = False
    unreached: bool = False
    ending: PeerEvent | None = None
    restart: str = ""
    by_wire: bool = False

    @property
    def fault(self) -> str:
        """How a fault ended it, in a few words; empty if no fault did."""
        return (self.how or "a fault") if self.by_fault else ""


class FlowTable:
    """The latest flows, by number and by the address that the server sees. Safe from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._facts: OrderedDict[int, FlowRecord] = OrderedDict()
        self._open: set[int] = set()
        self._undecided: dict[int, None] = {}  # the open ones that nobody has seen accepted, in order
        self._behind: dict[Endpoint, int] = {}
        self._of: dict[Endpoint, int] = {}
        self._holds: OrderedDict[Endpoint, tuple[int, int | None]] = OrderedDict()  # since when, and until when

    @property
    def facts(self) -> tuple[FlowRecord, ...]:
        """The flows, in the order in which they came; of many only the last 10,000."""
        with self._lock:
            return tuple(self._facts.values())

    @property
    def any_open(self) -> bool:
        """Whether a flow is not over."""
        return bool(self._open)

    def open_flows(self, clients: Iterable[Endpoint]) -> list[FlowRecord]:
        """The flows of these clients that are not over."""
        with self._lock:
            found = (self._latest(client) for client in clients)
            return [fact for fact in found if fact is not None and fact.number in self._open]

    def undecided(self, most: int) -> list[FlowRecord]:
        """Those that are not over and of which nobody has seen that they were accepted; the first ones."""
        with self._lock:
            return [self._facts[number] for number in islice(self._undecided, most)]

    def knows(self, upstream: Endpoint) -> bool:
        """Whether the server has seen the wire at this address."""
        return upstream in self._behind

    def fault_of(self, client: Endpoint) -> str:
        """How a fault ended the latest flow of a client's address; empty if none did."""
        fact = self.of(client)
        return fact.fault if fact is not None else ""

    def of(
        self, client: Endpoint, until: Callable[[FlowRecord], object] | None = None, seconds: float = EXPLAINING
    ) -> FlowRecord | None:
        """The latest flow of a client's address; waits so many seconds at most for ``until`` to be true of it."""
        with self._lock:
            if until is not None:
                self._lock.wait_for(lambda: (fact := self._latest(client)) is not None and until(fact), seconds)
            return self._latest(client)

    def _latest(self, client: Endpoint) -> FlowRecord | None:
        return self._facts.get(self._of.get(client, 0))

    def clear(self) -> None:
        """Another wire begins to count from 1."""
        with self._lock:
            self._facts.clear()
            self._open.clear()
            self._undecided.clear()
            self._behind.clear()
            self._of.clear()

    def opened(self, fact: FlowRecord) -> None:
        """A flow began. An address that is used again means the newer flow."""
        with self._lock:
            self._facts[fact.number] = fact
            self._open.add(fact.number)
            self._undecided[fact.number] = None
            self._lock.notify_all()
            self._behind[fact.upstream] = self._of[fact.client] = fact.number
            if len(self._facts) > FLOWS_KEPT:
                number, old = self._facts.popitem(last=False)
                self._forget(number)
                for known, address in ((self._behind, old.upstream), (self._of, old.client)):
                    if known.get(address) == number:
                        del known[address]

    def closed(self, number: int, time_ns: int, how: str, by_fault: bool, unreached: bool = False) -> None:
        """A flow is over."""
        with self._lock:
            self._forget(number)
        self._change(
            number, lambda fact: replace(fact, closed=time_ns, how=how, by_fault=by_fault, unreached=unreached)
        )

    def take(self, message: Message) -> None:
        """The wire's report of flows that began and ended."""
        for fact in _opened(message.get("opened")):
            self.opened(fact)
        for ended in _closed(message.get("closed")):
            self.closed(*ended)

    def met(self, event: PeerEvent, time_ns: int) -> None:
        """The server said what became of a flow: it took it out of its accept queue, or ended it."""
        number = self._behind.get(event.peer)
        if number is None:
            return
        if event.ends:
            self._change(number, lambda fact: replace(fact, ending=event))
        else:
            self._undecided.pop(number, None)
            self._change(number, lambda fact: replace(fact, accepted=time_ns, accepted_after=None))

    def accepted_between(self, number: int, after: int, by: int) -> None:
        """The kernel shows that the server accepted a flow, which it does not report itself."""
        self._undecided.pop(number, None)
        self._change(number, lambda fact: replace(fact, accepted=by, accepted_after=after))

    def restarted(self, why: str, *, by_wire: bool = False) -> None:
        """A person stops or replaces the server of all open flows, or stops the wire (``by_wire``)."""
        for fact in self.facts:
            if fact.closed is None:
                self._change(fact.number, lambda fact: replace(fact, restart=why, by_wire=by_wire))

    def holding(self, held: Iterable[HeldSegment], now: int) -> None:
        """These segments are held by hand, and no others."""
        since = {each.client: each.time_ns for each in reversed(tuple(held))}
        with self._lock:
            for client, (began, ended) in self._holds.items():
                if client not in since and ended is None:
                    self._holds[client] = began, now
            for client, began in since.items():
                if self._holds.get(client, (0, now))[1] is not None:
                    self._holds[client] = began, None
            while len(self._holds) > HOLDS_KEPT:
                self._holds.popitem(last=False)

    def hold_of(self, client: Endpoint, now: int, moment: int = MOMENT) -> int:
        """For how many nanoseconds a segment of a client is held by hand, or was until a moment ago; 0 if none is."""
        began, ended = self._holds.get(client, (0, 0))
        return max(1, (ended or now) - began) if ended is None or now - ended < moment else 0

    def client_of(self, upstream: Endpoint) -> Endpoint | None:
        """The client behind an address that the server sees."""
        with self._lock:
            fact = self._facts.get(self._behind.get(upstream, 0))
            return fact.client if fact is not None else None

    def _forget(self, number: int) -> None:
        """It is not open any more."""
        self._open.discard(number)
        self._undecided.pop(number, None)

    def _change(self, number: int, change: Callable[[FlowRecord], FlowRecord]) -> None:
        with self._lock:
            if number in self._facts:
                self._facts[number] = change(self._facts[number])
                self._lock.notify_all()


class LogTranslator:
    """Passes log lines on in their order, with clients' addresses. ``show`` is called with each, from any thread.

    A line waits ``patience`` seconds at most; None: `PATIENCE`.
    """

    def __init__(self, flows: FlowTable, show: Callable[[LogLine], None], patience: float | None = None) -> None:
        self._flows, self._show = flows, show
        self._patience = PATIENCE if patience is None else patience
        self._lock = threading.Lock()
        self._held: deque[tuple[float, LogLine]] = deque()  # with the time until which each may wait
        self._timer: threading.Timer | None = None

    def add_line(self, line: LogLine) -> None:
        """The server logged a line. It waits a moment if the wire has not reported its client yet."""
        with self._lock:
            self._held.append((time.monotonic() + self._patience, line))
            self._pass_on()

    def update_flows(self, message: Message) -> None:
        """The wire has reported flows: lines that waited for them go on."""
        self._flows.take(message)
        with self._lock:
            self._pass_on()

    def _pass_on(self) -> None:
        """Show what can be shown, or has waited long enough."""
        while self._held:
            until, line = self._held[0]
            renamed, left = self._renamed(line), until - time.monotonic()
            if renamed is None and left > 0 and len(self._held) <= LINES_HELD:
                self._wait(left)
                return
            self._held.popleft()
            self._show(renamed or line)

    def _renamed(self, line: LogLine) -> LogLine | None:
        """The line with the client's address; None if the wire has not reported that yet."""
        upstream = line.peer
        if upstream is None or upstream.host not in _LOOPBACK:
            return line
        client = self._flows.client_of(upstream)
        if client is None:
            return None
        event = line.event
        if event is not None:
            self._flows.met(event, line.time_ns)
            event = replace(event, peer=client)
        return replace(line, text=line.text.replace(str(upstream), str(client), 1), event=event, peer=client)

    def _wait(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = threading.Timer(seconds, self._give_up)
            self._timer.daemon = True
            self._timer.start()

    def _give_up(self) -> None:
        """The wire did not report it: this client talks to the server directly."""
        with self._lock:
            self._timer = None
            self._pass_on()


def _opened(rows: object) -> Iterator[FlowRecord]:
    for row in rows if isinstance(rows, list) else ():
        match row:
            case [int(number), str(host), int(port), str(behind), int(behind_port), int(time_ns)]:
                yield FlowRecord(number, Endpoint(safe(host), port), Endpoint(safe(behind), behind_port), time_ns)


def _closed(rows: object) -> Iterator[tuple[int, int, str, bool, bool]]:
    for row in rows if isinstance(rows, list) else ():
        match row:
            case [int(number), int(time_ns), str(how), bool(by_fault), bool(unreached)]:
                yield number, time_ns, safe(how), by_fault, unreached
