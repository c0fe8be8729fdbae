"""The wire of a lab, as ``lab.wire``: its faults, and the segments that it holds for a person.

It checks what is asked for, and lets the wire's process do it.
"""

from __future__ import annotations

from collections.abc import Callable

from netlab.capture.model import Direction, Endpoint, Transport
from netlab.dissect.text import safe
from netlab.lab.errors import LabError
from netlab.lab.processes.supervisor import Supervisor
from netlab.lab.processes.wire_process import WireProcess
from netlab.lab.replay import Replayed, replay_in_new_flow
from netlab.lab.state import HeldSegment
from netlab.wire.impairment import catalog
from netlab.wire.impairment.fault import FaultKind

MOST_FAULTS = 16
LONGEST_SPEC = 100
LONGEST_FILTER = 500


class WireControl:
    """What can be done to the wire while traffic flows. Methods raise `LabError` and may be called from any thread.

    ``seed`` makes the faults' chances repeat: with the same one, the same segments of a flow meet the same fate.
    """

    def __init__(self, serving: Supervisor, transport: Transport) -> None:
        self._supervisor, self._transport = serving, transport
        self.seed = 1

    @property
    def faults(self) -> tuple[str, ...]:
        """The faults that are active, each as it can be asked for again."""
        return self._supervisor.state.faults

    @property
    def kinds(self) -> tuple[FaultKind, ...]:
        """The kinds of fault that there are on this transport."""
        return catalog.kinds(self._transport)

    def fault(self, *specs: str, seed: int | None = None) -> tuple[str, ...]:
        """Add faults, as in ``fault("slice 1", "delay 20ms ->")``; those that are active now, in the order they act.

        Whenever the faults change, held bytes leave. Those that stay keep their counts; a new seed begins them afresh.
        """
        if seed is not None:
            self.seed = seed
        added = tuple(map(self._checked, specs))
        return self._change(lambda active: (*active, *added))

    def remove(self, index: int) -> tuple[str, ...]:
        """Take away one of `faults`, counted from 0; those that are left."""

        def less(active: tuple[str, ...]) -> tuple[str, ...]:
            if not 0 <= index < len(active):
                raise LabError(f"there is no fault number {index + 1}", f"{len(active)} are active")
            return active[:index] + active[index + 1 :]

        return self._change(less)

    def replace(self, *specs: str) -> tuple[str, ...]:
        """These faults in place of all that are active, in one go; without any the wire is clean."""
        wanted = tuple(map(self._checked, specs))
        return self._change(lambda active: wanted)

    def clear(self) -> None:
        """Let the wire carry everything unchanged again; what faults hold leaves at once."""
        self.replace()

    # Holding segments by hand

    @property
    def held(self) -> tuple[HeldSegment, ...]:
        """The segments that wait for a person, oldest first."""
        return self._supervisor.state.held

    def intercept(self, text: str = "") -> None:
        """Hold every segment that matches a filter from now on; none with an empty one. What is held goes on waiting.

        Filters are those of the wire list (`netlab.capture.filter`). On a stream all that follows a held segment waits.
        """
        if len(text) > LONGEST_FILTER:
            raise LabError(f"no filter is longer than {LONGEST_FILTER} characters", "as in :intercept -> 'Hello'")
        self._supervisor.with_wire(lambda wire: wire.ask("intercept", filter=text))

    def release_all(self) -> None:
        """Hold nothing any more, and let what is held go on."""
        self.intercept()
        self.release()

    def release(self, number: int | None = None) -> None:
        """Let a held segment go on, or all of them."""
        self._supervisor.with_wire(lambda wire: wire.ask("release", id=number))

    def drop(self, number: int) -> None:
        """Let a held segment go no further."""
        self._supervisor.with_wire(lambda wire: wire.ask("drop", id=number))

    def edit(self, number: int, payload: bytes) -> None:
        """Let other bytes leave in a held segment's place, once it goes on."""
        self._supervisor.with_wire(lambda wire: wire.ask_with(payload, "edit", id=number))

    def replay(self, payload: bytes, client: Endpoint, direction: Direction = Direction.TO_SERVER) -> None:
        """Let bytes leave in a client's open flow that did not come there; what comes back goes to that client."""
        self._supervisor.sync()  # flows are told with the capture
        flows = [each for each in self._supervisor.flows.facts if each.client == client and each.closed is None]
        if not flows:
            raise LabError(f"the flow of {client} is not open", "replay the bytes in a new one")
        where = {"flow": flows[-1].number, "direction": direction.value}
        self._supervisor.with_wire(lambda wire: wire.ask_with(payload, "replay", **where))

    def replay_in_new_flow(self, payload: bytes) -> Replayed:
        """Send bytes to the server in a new flow, over the wire; what came back. Waits for that, 2 s at most."""
        return replay_in_new_flow(self._supervisor.address, self._transport, payload)

    # Inside

    def _change(self, wanted: Callable[[tuple[str, ...]], tuple[str, ...]]) -> tuple[str, ...]:
        """Other faults, made of those that are active; nobody else changes them meanwhile."""

        def change(wire: WireProcess) -> tuple[str, ...]:
            specs = wanted(wire.faults)
            if len(specs) > MOST_FAULTS:
                raise LabError(f"{MOST_FAULTS} faults are the most that one wire has", ":clear-faults removes them all")
            return wire.set_faults(specs, self.seed)

        return self._supervisor.with_wire(change)

    def _checked(self, spec: str) -> str:
        if len(spec) > LONGEST_SPEC:
            raise LabError(f"no fault is longer than {LONGEST_SPEC} characters", ":fault lists what there is")
        try:
            catalog.parse(spec, self._transport)
        except ValueError as error:
            raise LabError(safe(str(error)), ":fault lists what there is") from None
        return spec
