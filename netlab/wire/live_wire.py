"""The wire: a relay, its capture and its faults, and the requests that change them while traffic flows.

It decides when the capture is announced: at once after a pause, at most every 50 ms while there is traffic. It does no
I/O on flows itself, and does not know where requests come from or reports go to.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from netlab.capture.model import Direction, Endpoint, Transport
from netlab.capture.writer import CaptureWriter
from netlab.names import Addresses, resolve
from netlab.wire.addresses import beside
from netlab.wire.facts import (
    Answered,
    Captured,
    CaptureReplaced,
    FaultsChanged,
    FlowsMeasured,
    InterceptChanged,
    ListenFailed,
    Listening,
    Paused,
    Report,
    Synced,
    TargetAbsent,
    Troubled,
)
from netlab.wire.impairment import catalog
from netlab.wire.impairment.fault import Impairment, kept
from netlab.wire.impairment.own_fault_files import OwnFaultFiles
from netlab.wire.loop import Loop
from netlab.wire.relay.context import Context
from netlab.wire.relay.stats import RelayStats

if TYPE_CHECKING:
    from netlab.wire.relay.datagram_relay import DatagramRelay
    from netlab.wire.relay.stream_relay import StreamRelay
    from netlab.wire.target_watch import TargetWatch

GONE: Final = "dropped by the wire"
"""The fate of flows that end with the wire, or whose server is gone."""
ANNOUNCE_EVERY: Final = 0.05
"""Seconds between announcements of the capture, at least."""


class LiveWire:
    """One relay with its capture; call `run` to let it work. ``report`` is called with what happens.

    ``shows_target``: the capture has the server's own address, else the one where clients connect. ``refuses``: clients
    are refused while nothing listens at the server's address, where that can be known.
    """

    def __init__(
        self,
        transport: Transport,
        loop: Loop,
        writer: CaptureWriter,
        report: Report,
        *,
        shows_target: bool = False,
        refuses: bool = False,
    ) -> None:
        self._loop, self._writer, self._report = loop, writer, report
        self._transport = transport
        self._context = Context(loop, writer, report, shows_target=shows_target)
        self._relay: StreamRelay | DatagramRelay
        self._watch: TargetWatch | None = None
        self._take_clients: Callable[[bool], None] = lambda there: None
        if transport is Transport.UDP:  # imported here, because a wire needs one of them, and must start fast
            from netlab.wire.relay.datagram_relay import DatagramRelay

            self._relay = DatagramRelay(self._context)
        else:
            from netlab.wire.relay.stream_relay import StreamRelay

            self._relay = relay = StreamRelay(self._context)
            if refuses:
                from netlab.wire.target_watch import TargetWatch

                self._take_clients = partial(self._take_clients_at, relay)
                self._watch = TargetWatch(loop, self._take_clients)
        self._bound: Addresses = ()
        self._announced = 0.0
        self._announcing = False
        self._own_faults = OwnFaultFiles(transport)
        loop.after = self._look

    def listen(self, address: Endpoint) -> bool:
        """Listen there instead; whether that worked is reported, and returned."""
        try:
            bound = self._relay.listen(resolve(address))
        except OSError as error:
            number = error.errno if error.errno and error.errno > 0 else None  # the resolver's own are below zero
            text = os.strerror(number) if number else str(error.strerror or error)
            self._report(ListenFailed(address, number, text))
            return False
        targets, self._relay.targets = self._relay.targets, beside(self._relay.targets, bound)
        if targets and not self._relay.targets:
            self._relay.pause()
            self._relay.targets = targets
            self._report(ListenFailed(address, None, "the server would be the wire itself, in an endless loop"))
            return False
        self._bound = bound
        self._report(Listening(bound, self._relay.targets))
        self._watch_targets()
        return True

    def _watch_targets(self) -> None:
        if self._watch is not None:
            self._watch.watch(self._relay.targets if self._bound else ())

    def _take_clients_at(self, relay: StreamRelay, there: bool) -> None:
        """The server came, or went: listen again, or no longer."""
        try:
            if there:
                relay.take_again()
                self._report(Listening(self._bound, relay.targets))
            else:
                relay.refuse()
                self._report(TargetAbsent(relay.targets[0]))
        except OSError as error:
            self._report(ListenFailed(self._bound[0], error.errno, str(error.strerror or error)))
            self._bound = ()
            self._watch_targets()
        self._announce()

    def pause(self) -> None:
        """Stop listening; open connections go on."""
        self._bound = ()
        self._watch_targets()
        self._relay.pause()
        self._report(Paused())

    def aim(self, target: Endpoint) -> bool:
        """Send new flows there from now on. A name that is not found is reported, and changes nothing."""
        try:
            self._relay.targets = resolve(target)
        except OSError as error:
            self._report(Troubled(f"the server's address {target} was not found: {error.strerror}"))
            return False
        if self._watch is not None and self._watch.absent:
            self._take_clients(True)
        self._watch_targets()
        return True

    def drop_flows(self, why: str = GONE) -> None:
        """Reset all flows; ``why`` is their fate."""
        self._relay.drop_flows(why)

    def impair(self, specs: Iterable[str], seed: int) -> None:
        """Let these faults act from now on, also on open flows. A wrong one is reported, and changes nothing.

        A fault that stays among others keeps its counts and clocks. The same list again, or another seed, restarts all
        of them.
        """
        try:
            wanted = catalog.chain(specs, self._transport)
        except ValueError as error:
            self._report(FaultsChanged(self._active(), str(error)))
            return
        self.set_chain(wanted, seed)

    def set_chain(self, wanted: tuple[Impairment, ...], seed: int = 0) -> None:
        """The same with faults that are made already."""
        afresh = seed != self._context.seed or self._active() == tuple(map(str, wanted))
        self._context.chain = wanted if afresh else kept(self._context.chain, wanted)
        self._context.seed = seed
        self._own_faults.begin(self._context.chain)
        self._relay.impair()
        self._report(FaultsChanged(self._active()))

    def intercept(self, text: str) -> None:
        """Hold segments that match a filter from now on; an empty one holds none. What is held goes on waiting."""
        from netlab.capture.filter import FilterError, parse  # late: few wires need it

        try:
            self._context.intercept.matches = parse(text).matches if text.strip() else None
        except FilterError as error:
            self._report(Answered(str(error)))
            return
        self._relay.intercept()
        self._report(InterceptChanged(text.strip()))
        self._report(Answered())

    def release(self, number: int | None) -> None:
        """Release a held segment, or all."""
        self._answer(lambda: self._context.intercept.release(number))

    def drop(self, number: int) -> None:
        """Drop a held segment."""
        self._answer(lambda: self._context.intercept.drop(number))

    def edit(self, number: int, payload: bytes) -> None:
        """Change the bytes of a held segment."""
        self._answer(lambda: self._context.intercept.edit(number, payload))

    def replay(self, flow: int, direction: Direction, payload: bytes) -> None:
        """Send bytes in an open flow that did not come from its ends."""
        self._report(Answered(self._relay.replay(flow, direction, payload)))

    def _answer(self, do: Callable[[], None]) -> None:
        try:
            do()
        except ValueError as error:
            self._report(Answered(str(error)))
        else:
            self._report(Answered())

    def sync(self, number: object) -> None:
        """Announce everything that crossed so far, then report that."""
        self._announce()
        self._report(Synced(number))

    def measure(self, numbers: Iterable[int]) -> None:
        """Report what these flows have for the server; those that are not open are left out."""
        wanted, up = frozenset(numbers), Direction.TO_SERVER
        ways = ((flow.number, flow.ways.get(up)) for flow in self._relay.stats_of(wanted))
        self._report(FlowsMeasured(tuple((number, way.before, way.waiting) for number, way in ways if way is not None)))

    def capture_new_flows(self, on: bool) -> None:
        """Capture the flows that begin from now on, or only count them. Open flows go on as they are."""
        self._writer.captures_new = on
        self._report(Answered())

    def restart_capture(self, path: str) -> None:
        """Begin a new capture in another file."""
        try:
            self._writer.restart(path)
        except OSError as error:
            self._report(Troubled(f"cannot begin a new capture in {path}: {error.strerror}"))
            return
        self._report(CaptureReplaced(path))
        self._announce()

    @property
    def stats(self) -> RelayStats:
        """What the relay holds at the moment. Only for the thread that runs the wire."""
        return self._relay.stats

    def run(self) -> None:
        """Relay until `Loop.stop`, then end every flow and complete the file."""
        try:
            self._loop.run()
        finally:
            self._relay.close()
            self._announce()
            self._writer.close()
            self._loop.close()

    def _active(self) -> tuple[str, ...]:
        return tuple(map(str, self._context.chain))

    def _look(self) -> None:
        """After every round of the loop."""
        if self._announcing or not self._writer.has_news:
            return
        due = self._announced + ANNOUNCE_EVERY
        if time.monotonic() >= due:
            self._announce()
        else:
            self._announcing = True
            self._loop.call_at(due, self._announce_if_changed)

    def _announce_if_changed(self) -> None:
        self._announcing = False
        if self._writer.has_news:
            self._announce()

    def _look_after_own_faults(self) -> None:
        """Report what went wrong in a person's own faults, and read again those whose files were saved."""
        for complaint in self._own_faults.complaints(self._context.chain):
            self._report(Troubled(complaint))
        try:
            renewed = self._own_faults.renewed(self._context.chain)
        except ValueError as error:
            self._report(Troubled(f"{error}; it goes on as it was"))
            return
        if renewed is not None:
            self._context.chain = renewed
            self._relay.impair()
            self._report(Troubled(""))

    def _announce(self) -> None:
        if any(each.file is not None for each in self._context.chain):
            self._look_after_own_faults()
        self._announced = time.monotonic()
        length = self._writer.flush()
        self._writer.changed = False
        self._report(Captured(length, replace(self._writer.tally), self._writer.note, self._writer.files))
