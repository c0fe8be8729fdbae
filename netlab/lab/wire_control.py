"""The wire of a lab, ``lab.wire``: its faults, and the segments that it holds for a person.

Requests are checked here and carried out by the wire's process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol, TypeVar

from netlab.capture.model import Direction, Endpoint, Transport
from netlab.dissect.text import safe
from netlab.lab.errors import LabError
from netlab.lab.processes.flow_table import FlowTable
from netlab.lab.processes.setup import SEED
from netlab.lab.processes.wire_process import WireProcess
from netlab.lab.replay import Replayed, replay_in_new_flow
from netlab.lab.state import HeldSegment, LabState
from netlab.wire.impairment import catalog
from netlab.wire.impairment.fault import FaultKind

MOST_FAULTS = 16
LONGEST_SPEC = 200
LONGEST_FILTER = 500
DOWN = "the wire was taken down"
"""Why flows end then."""


T = TypeVar("T")


class WireOwner(Protocol):
    """Who runs the wire: a lab's supervisor, or a program with a wire of its own."""

    flows: FlowTable

    @property
    def state(self) -> LabState:
        """The state now, with what the wire reports."""

    @property
    def address(self) -> Endpoint:
        """Where clients connect."""

    def sync(self) -> None:
        """Wait until what has crossed is in the capture."""

    def with_wire(self, do: Callable[[WireProcess], T]) -> T:
        """Have the wire do something, after any change that is under way."""


class WireControl:
    """Changes to the wire while traffic flows. Methods raise `LabError` and may be called from any thread.

    ``seed`` makes the faults' random choices repeatable: with the same seed, the same segments of a flow are affected.
    """

    def __init__(self, owner: WireOwner, transport: Transport) -> None:
        self._owner, self._transport = owner, transport
        self.seed = SEED
        self._leaving_out, self._leaving_out_lock = 0, threading.Lock()

    @property
    def faults(self) -> tuple[str, ...]:
        """The active faults, as specs for `fault`."""
        return self._owner.state.faults

    @property
    def kinds(self) -> tuple[FaultKind, ...]:
        """The kinds of fault for this transport."""
        return catalog.kinds(self._transport)

    def fault(self, *specs: str, seed: int | None = None) -> tuple[str, ...]:
        """Add faults, as in ``fault("slice 1", "delay 20ms ->")``; returns the active faults in their order.

        When the faults change, bytes held by a fault leave. Faults that stay keep their counts; a new seed resets them.
        """
        if seed is not None:
            self.seed = seed
        added = tuple(map(self._checked, specs))
        return self._change(lambda active: (*active, *added))

    def remove(self, index: int) -> tuple[str, ...]:
        """Remove one of `faults`, counted from 0; returns the remaining faults."""

        def less(active: tuple[str, ...]) -> tuple[str, ...]:
            if not 0 <= index < len(active):
                raise LabError(f"there is no fault {index + 1}", f"{len(active)} are active")
            return active[:index] + active[index + 1 :]

        return self._change(less)

    def replace(self, *specs: str) -> tuple[str, ...]:
        """Replace all active faults at once; without arguments, remove them all."""
        wanted = tuple(map(self._checked, specs))
        return self._change(lambda active: wanted)

    def check(self, *specs: str) -> None:
        """Raise `LabError` if one of these faults would be refused."""
        tuple(map(self._checked, specs))
        _refuse_too_many(specs)

    def clear(self) -> None:
        """Remove all faults; bytes that they hold leave at once."""
        self.replace()

    # As if the server were gone

    @contextmanager
    def leaving_out_new_flows(self) -> Iterator[None]:
        """Meanwhile the flows that begin are counted and not captured; those that are open go on as they are."""
        self._leave_out(1)
        try:
            yield
        finally:
            with suppress(LabError):  # the wire has ended, and a new one captures
                self._leave_out(-1)

    def _leave_out(self, change: int) -> None:
        with self._leaving_out_lock:
            wanted = self._leaving_out + change
            if change < 0:  # whether or not the wire is there to hear it
                self._leaving_out = wanted
            self._owner.with_wire(lambda wire: wire.ask("capture-new-flows", on=not wanted))
            self._leaving_out = wanted

    def down(self) -> None:
        """Let the server seem gone: open flows are reset, and clients are refused until `up`."""
        self._owner.with_wire(lambda wire: wire.pause())
        self._owner.flows.restarted(DOWN, by_wire=True)
        self._owner.with_wire(lambda wire: wire.drop_flows(DOWN))
        self._owner.sync()

    def up(self) -> None:
        """Take clients again, at the same address. Does nothing if it takes them."""
        if self._owner.state.down:
            self._owner.with_wire(lambda wire: wire.listen(self._owner.address))

    # Holding segments by hand

    @property
    def held(self) -> tuple[HeldSegment, ...]:
        """The held segments, oldest first."""
        return self._owner.state.held

    def intercept(self, text: str = "") -> None:
        """Hold all segments that match a filter from now on; with an empty filter, none. Held segments stay held.

        Filters are those of the wire list (`netlab.capture.filter`). On a stream, all that follows one waits.
        """
        if len(text) > LONGEST_FILTER:
            raise LabError(f"a filter has at most {LONGEST_FILTER} characters", "as in :intercept -> 'Hello'")
        self._owner.with_wire(lambda wire: wire.ask("intercept", filter=text))

    def release_all(self) -> None:
        """Stop holding segments and release all."""
        self.intercept()
        self.release()

    def release(self, number: int | None = None) -> None:
        """Release a held segment, or all."""
        self._owner.with_wire(lambda wire: wire.ask("release", id=number))

    def drop(self, number: int) -> None:
        """Drop a held segment."""
        self._owner.with_wire(lambda wire: wire.ask("drop", id=number))

    def edit(self, number: int, payload: bytes) -> None:
        """Replace the bytes of a held segment; they leave when it is released."""
        self._owner.with_wire(lambda wire: wire.ask_with(payload, "edit", id=number))

    def replay(self, payload: bytes, client: Endpoint, direction: Direction = Direction.TO_SERVER) -> None:
        """Inject bytes into a client's open flow. The client gets the answer."""
        self._owner.sync()  # flows are reported with the capture
        flows = [each for each in self._owner.flows.facts if each.client == client and each.closed is None]
        if not flows:
            raise LabError(f"the flow of {client} is not open", "replay the bytes in a new one")
        where = {"flow": flows[-1].number, "direction": direction.value}
        self._owner.with_wire(lambda wire: wire.ask_with(payload, "replay", **where))

    def replay_in_new_flow(self, payload: bytes) -> Replayed:
        """Send bytes to the server in a new flow, over the wire, and wait for the answer, at most 2 s."""
        return replay_in_new_flow(self._owner.address, self._transport, payload)

    # Inside

    def _change(self, wanted: Callable[[tuple[str, ...]], tuple[str, ...]]) -> tuple[str, ...]:
        """Change the faults, given the active ones; no other change comes between."""

        def change(wire: WireProcess) -> tuple[str, ...]:
            specs = wanted(wire.faults)
            _refuse_too_many(specs)
            return wire.set_faults(specs, self.seed)

        return self._owner.with_wire(change)

    def _checked(self, spec: str) -> str:
        if len(spec) > LONGEST_SPEC:
            raise LabError(f"a fault has at most {LONGEST_SPEC} characters", ":fault lists the kinds")
        try:
            catalog.parse(spec, self._transport)
        except ValueError as error:
            raise LabError(safe(str(error)), ":fault lists the kinds") from None
        return spec


def _refuse_too_many(specs: tuple[str, ...]) -> None:
    if len(specs) > MOST_FAULTS:
        raise LabError(f"a wire has at most {MOST_FAULTS} faults", ":clear-faults removes them all")
