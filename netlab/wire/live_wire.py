"""The wire: a relay, its capture and its faults, and the requests that change them while traffic flows.

It decides when the capture is announced: at once after a pause, at most every 50 ms while there is traffic. It does no
I/O of its own on flows, and does not know who asks or who is told.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from netlab.capture.model import Direction, Endpoint, Transport
from netlab.capture.writer import CaptureWriter
from netlab.names import resolve
from netlab.wire.addresses import beside
from netlab.wire.facts import (
    Answered,
    Captured,
    CaptureReplaced,
    FaultsChanged,
    InterceptChanged,
    ListenFailed,
    Listening,
    Paused,
    Synced,
    Tell,
    Troubled,
)
from netlab.wire.impairment import catalog
from netlab.wire.impairment.fault import kept
from netlab.wire.loop import Loop
from netlab.wire.relay.context import Surroundings
from netlab.wire.relay.datagram_relay import DatagramRelay
from netlab.wire.relay.stream_relay import StreamRelay

GONE: Final = "dropped by the wire"
"""The fate of flows that end with the wire, or whose server is gone without another word."""
ANNOUNCE_EVERY: Final = 0.05
"""Seconds between announcements of the capture, at least."""


class Wire:
    """One relay with its capture; call `run` to let it work. ``around.tell`` hears what happens.

    ``shows_target``: the capture has the server's own address, else the one where clients connect.
    """

    def __init__(
        self, transport: Transport, loop: Loop, writer: CaptureWriter, tell: Tell, *, shows_target: bool = False
    ) -> None:
        self._loop, self._writer, self._tell = loop, writer, tell
        self._transport = transport
        self._around = Surroundings(loop, writer, tell, shows_target=shows_target)
        self._relay = StreamRelay(self._around) if transport is Transport.TCP else DatagramRelay(self._around)
        self._announced = 0.0
        self._announcing = False
        loop.after = self._look

    def listen(self, address: Endpoint) -> bool:
        """Listen there instead of elsewhere; whether it could is told, and returned."""
        try:
            bound = self._relay.listen(resolve(address))
        except OSError as error:
            number = error.errno if error.errno and error.errno > 0 else None  # the resolver's own are below zero
            text = os.strerror(number) if number else str(error.strerror or error)
            self._tell(ListenFailed(address, number, text))
            return False
        targets, self._relay.targets = self._relay.targets, beside(self._relay.targets, bound)
        if targets and not self._relay.targets:
            self._relay.pause()
            self._relay.targets = targets
            self._tell(ListenFailed(address, None, "the server would be the wire itself, without end"))
            return False
        self._tell(Listening(bound, self._relay.targets))
        return True

    def pause(self) -> None:
        """Stop listening; open connections go on."""
        self._relay.pause()
        self._tell(Paused())

    def aim(self, target: Endpoint) -> bool:
        """New flows go there from now on. A name that is not found is told, and changes nothing."""
        try:
            self._relay.targets = resolve(target)
        except OSError as error:
            self._tell(Troubled(f"the server's address {target} was not found: {error.strerror}"))
            return False
        return True

    def drop_flows(self, why: str = GONE) -> None:
        """Reset all flows; ``why`` is their fate."""
        self._relay.drop_flows(why)

    def impair(self, specs: Iterable[str], seed: int) -> None:
        """These faults act from now on, also on open flows. What is wrong with them is told, and changes nothing.

        A fault that stays among others keeps its counts and clocks. The same list again, or another seed, begins all
        of them afresh.
        """
        try:
            wanted = catalog.chain(specs, self._transport)
        except ValueError as error:
            self._tell(FaultsChanged(self._active(), str(error)))
            return
        afresh = seed != self._around.seed or self._active() == tuple(map(str, wanted))
        self._around.chain = wanted if afresh else kept(self._around.chain, wanted)
        self._around.seed = seed
        self._relay.impair()
        self._tell(FaultsChanged(self._active()))

    def intercept(self, text: str) -> None:
        """Hold segments that match a filter from now on; none with an empty one. What is held goes on waiting."""
        from netlab.capture.filter import FilterError, parse  # late: few wires are asked for this

        try:
            self._around.intercept.matches = parse(text).matches if text.strip() else None
        except FilterError as error:
            self._tell(Answered(str(error)))
            return
        self._relay.intercept()
        self._tell(InterceptChanged(text.strip()))
        self._tell(Answered())

    def release(self, number: int | None) -> None:
        """Let a held segment go on, or all."""
        self._answer(lambda: self._around.intercept.release(number))

    def drop(self, number: int) -> None:
        """Let a held segment go no further."""
        self._answer(lambda: self._around.intercept.drop(number))

    def edit(self, number: int, payload: bytes) -> None:
        """Let other bytes leave in a held segment's place, once it goes on."""
        self._answer(lambda: self._around.intercept.edit(number, payload))

    def replay(self, flow: int, direction: Direction, payload: bytes) -> None:
        """Let bytes leave in an open flow that did not come there."""
        self._tell(Answered(self._relay.replay(flow, direction, payload)))

    def _answer(self, do: Callable[[], None]) -> None:
        try:
            do()
        except ValueError as error:
            self._tell(Answered(str(error)))
        else:
            self._tell(Answered())

    def sync(self, number: object) -> None:
        """Announce everything that crossed so far, then say so."""
        self._announce()
        self._tell(Synced(number))

    def restart_capture(self, path: str) -> None:
        """Begin the capture anew in another file."""
        try:
            self._writer.restart(path)
        except OSError as error:
            self._tell(Troubled(f"no new capture in {path}: {error.strerror}"))
            return
        self._tell(CaptureReplaced(path))
        self._announce()

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
        return tuple(map(str, self._around.chain))

    def _look(self) -> None:
        """After every round of the loop."""
        if self._announcing or not self._writer.changed:
            return
        due = self._announced + ANNOUNCE_EVERY
        if time.monotonic() >= due:
            self._announce()
        else:
            self._announcing = True
            self._loop.call_at(due, self._announce_if_changed)

    def _announce_if_changed(self) -> None:
        self._announcing = False
        if self._writer.changed:
            self._announce()

    def _announce(self) -> None:
        self._writer.changed = False
        self._announced = time.monotonic()
        length = self._writer.flush()
        self._tell(Captured(length, replace(self._writer.tally), self._writer.note))
