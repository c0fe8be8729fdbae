"""A wire between any client and any server, for programs and tests.

with Wire(to=("127.0.0.1", 6379), faults=["delay 50ms"], seed=1) as wire:
    client = redis.Redis(*wire.address)
    client.ping()
    wire.wait_for("<- 'PONG'")
"""

from __future__ import annotations

import atexit
import os
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar, overload

from netlab.api.address_arguments import Address, endpoint, server
from netlab.api.segments_so_far import SegmentsSoFar
from netlab.api.waiting import FILTERS, LOOK_AGAIN, PATIENCE, SegmentSearch, too_late
from netlab.api.wire_errors import WireError, advising
from netlab.api.wire_run import WireRun
from netlab.capture.capture_file import Capture
from netlab.capture.model import Direction, Endpoint, Flow, Segment, Transport
from netlab.dissect.text import safe
from netlab.lab.processes.flow_table import FlowRecord
from netlab.lab.processes.live_capture import Saved
from netlab.lab.processes.setup import CAPTURE_LIMIT
from netlab.lab.replay import Replayed
from netlab.lab.state import HeldSegment
from netlab.lab.wire_control import WireControl
from netlab.names import resolve
from netlab.wire.addresses import beside
from netlab.wire.impairment.spec import ARROWS

T = TypeVar("T")
_FAULTS = "`netlab wire --help` lists the faults; clear() removes all"
_ANOTHER = "close it, and make another Wire"
_ASKED = "`held` has the segments that wait, `flows` those flows whose `closed` is None"


class Wire:
    """A wire to a server: a process of its own that relays, captures and impairs what crosses. Use it with ``with``.

    ``to`` is the server, ``listen`` where clients connect: ``"HOST:PORT"``, ``(host, port)`` or a port on 127.0.0.1;
    port 0 takes a free one. ``udp`` relays datagrams. ``faults`` are specs as in ``netlab wire --fault``, ``seed``
    makes their random choices repeatable. ``limit`` is the most that the capture keeps, in bytes: the newest; `note`
    says what was let go. The server need not be there yet.

    Methods may be called from any thread and raise `WireError`. The wire's process ends with `close`, and with this
    program, however that ends.
    """

    def __init__(
        self,
        to: Address,
        *,
        listen: Address = "127.0.0.1:0",
        udp: bool = False,
        faults: Iterable[str] = (),
        seed: int = 1,
        limit: int = CAPTURE_LIMIT,
    ) -> None:
        transport = Transport.UDP if udp else Transport.TCP
        self._to, self._first = server(to), specs_of(faults)
        self._run = WireRun(transport, endpoint(listen, "listen"), limit)
        self._control = WireControl(self._run, transport)
        self._control.seed = seed
        with advising(_FAULTS):
            self._control.check(*self._first)

    def start(self) -> None:
        """Relay; returns when clients can connect. Does nothing if it already does. ``with`` calls it."""
        atexit.register(self.close)
        try:
            self._check_target(self._to)
            self._run.start(self._to, self._first, self._control.seed)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the flows and the wire. `flows` and `segments` can still be read. Twice does nothing."""
        atexit.unregister(self.close)
        self._run.close()

    def __enter__(self) -> Wire:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # Where it stands

    @property
    def address(self) -> Endpoint:
        """Where clients connect: ``host`` and ``port``, a tuple that `socket.create_connection` takes."""
        return self._run.address

    @property
    def to(self) -> Endpoint:
        """Where the server is."""
        return self._to

    def retarget(self, to: Address) -> None:
        """Send new flows to another server. Open flows stay where they are; `drop_flows` resets them."""
        target = server(to)
        self._check_target(target)
        self._run.with_wire(lambda wire: wire.target(target))
        self._to = target
        self._run.sync()

    def down(self) -> None:
        """Let the server seem gone: open flows are reset, and clients are refused until `up`."""
        with advising(_ANOTHER):
            self._control.down()

    def up(self) -> None:
        """Take clients again, at the same address. Does nothing unless it is down."""
        with advising("another program has taken the port; make another Wire"):
            self._control.up()

    def drop_flows(self, why: str = "dropped by the program") -> None:
        """Reset all open flows; ``why`` is their fate in the capture, in a few words."""
        self._run.with_wire(lambda wire: wire.drop_flows(why))
        self._run.sync()

    # Faults

    @property
    def faults(self) -> tuple[str, ...]:
        """The active faults, in their order."""
        return self._control.faults

    @property
    def seed(self) -> int:
        """With the same seed, the same segments of a flow are affected. `fault` changes it."""
        return self._control.seed

    def fault(self, *specs: str, seed: int | None = None) -> tuple[str, ...]:
        """Add faults, also to open flows, as in ``fault("slice 1", "delay 20ms ->")``; returns the active faults.

        Faults that stay keep their counts; a new seed resets them.
        """
        with advising(_FAULTS):
            return self._control.fault(*specs, seed=seed)

    def replace(self, *specs: str) -> tuple[str, ...]:
        """Replace all faults at once; returns the active faults."""
        with advising(_FAULTS):
            return self._control.replace(*specs)

    def clear(self) -> None:
        """Remove all faults; bytes that they hold leave at once."""
        with advising(_FAULTS):
            self._control.clear()

    # What crossed

    @property
    def capture(self) -> Capture:
        """The capture, up to date: for its streams, say. It grows with each look at `segments` or at this."""
        return self._run.capture

    @property
    def segments(self) -> Sequence[Segment]:
        """What has crossed by now, in order: ``bytes(segment.data)`` is the payload, ``segment.fate`` what a fault did.

        It does not grow: ask again for what comes later. Each segment is made when it is looked at.
        """
        return SegmentsSoFar(self._run.capture)

    @property
    def flows(self) -> tuple[FlowRecord, ...]:
        """The flows by now, in the order in which they were opened; of many the last 10,000.

        Times are nanoseconds since the epoch. ``closed`` is None while a flow is open; ``how`` says how it ended if
        that was unusual, and ``by_fault`` whether a fault ended it.
        """
        self._run.sync()
        return self._run.flows.facts

    @property
    def note(self) -> str:
        """What the capture lacks or the wire could not do, in a sentence; empty if all is well."""
        return self._run.note

    @overload
    def wait_for(self, what: str, timeout: float = ..., *, after: int = ...) -> Segment: ...
    @overload
    def wait_for(self, what: Callable[[], T], timeout: float = ..., *, after: int = ...) -> T: ...
    def wait_for(self, what: str | Callable[[], T], timeout: float = PATIENCE, *, after: int = 0) -> Segment | T:
        """Wait until a segment matches a filter, and return it; or until a condition is true, and return its value.

        Filters are those of the screen: ``"-> 'PING'"``, ``"reset"``, ``"flow 2 and fin"``. The segments so far count
        as well; ``after`` leaves out those up to that number. ``timeout`` is in seconds. Raises `WireTimeout`.
        """
        look = SegmentSearch(self._run, what, after) if isinstance(what, str) else what
        deadline = time.monotonic() + timeout
        while True:
            seen = self._run.changes
            found = look()
            if found:
                return found
            self._run.refuse_if_over()
            left = deadline - time.monotonic()
            if left <= 0:
                raise too_late(self._run, what, timeout)
            self._run.wait_for_change(seen, min(left, LOOK_AGAIN))

    def save(self, path: str | os.PathLike[str]) -> Saved:
        """Copy the capture to a pcapng file. Returns its path, and the path of the backup of a file that was there."""
        return self._run.save(path)

    # Holding segments by hand, and replaying

    @property
    def held(self) -> tuple[HeldSegment, ...]:
        """The held segments, oldest first. ``number`` names one for `release`, `drop` and `edit`."""
        return self._control.held

    def intercept(self, text: str = "") -> None:
        """Hold all segments that match a filter from now on; with an empty filter, none. Held segments stay held."""
        with advising(FILTERS):
            self._control.intercept(text)

    def release(self, number: int | None = None) -> None:
        """Let a held segment go on, or all."""
        with advising(_ASKED):
            self._control.release(number)

    def drop(self, number: int) -> None:
        """Drop a held segment."""
        with advising(_ASKED):
            self._control.drop(number)

    def edit(self, number: int, payload: bytes) -> None:
        """Change the bytes of a held segment; they leave when it is released."""
        with advising(_ASKED):
            self._control.edit(number, payload)

    def replay(self, payload: bytes, flow: Flow | FlowRecord, direction: Direction | str = Direction.TO_SERVER) -> None:
        """Send bytes in an open flow that its ends did not send, ``"->"`` to the server or ``"<-"`` to the client."""
        with advising(_ASKED):
            self._control.replay(payload, flow.client, _way(direction))

    def replay_in_new_flow(self, payload: bytes) -> Replayed:
        """Send bytes to the server in a new flow, over the wire, and wait for the answer, at most 2 s."""
        with advising("is the server there?"):
            return self._control.replay_in_new_flow(payload)

    # Inside

    def _check_target(self, target: Endpoint) -> None:
        """Refuse a name that is not found, and the wire's own address."""
        try:
            found = resolve(target)
        except OSError as error:
            reason = safe(str(error.strerror or error))
            raise WireError(f"the server's address {safe(str(target))} was not found: {reason}", "check it") from None
        if self.address.port and not beside(found, (self.address,)):
            raise WireError(f"{target} is the wire itself, in an endless loop", "give it the server's own address")


def specs_of(faults: Iterable[str]) -> tuple[str, ...]:
    """The same as a tuple. Raises `WireError` for a text, whose letters would be taken for faults."""
    if isinstance(faults, str):
        raise WireError(f"faults is a list, not the text {faults!r}", f"write faults=[{faults!r}]")
    return tuple(faults)


def _way(direction: Direction | str) -> Direction:
    way = direction if isinstance(direction, Direction) else ARROWS.get(direction)
    if way is None:
        raise WireError(f"{direction!r} is no direction", 'write "->" for to the server, "<-" for to the client')
    return way
