"""The server and the wire that a lab has now, and the state that follows from both. It starts and ends neither."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from netlab.capture.model import Endpoint, Transport
from netlab.lab.errors import LabError
from netlab.lab.processes.server_plan import RunningServer
from netlab.lab.processes.wire_process import WireProcess
from netlab.lab.server_sockets import ServerSockets
from netlab.lab.state import Event, LabState, OwnState, Phase, StateChanged


class ServerAndWire:
    """``server``, ``wire`` and the wanted ``model`` are set by the one who changes them; messages come at any time."""

    def __init__(self, model: str, transport: Transport, report: Callable[[Event], None]) -> None:
        self.server: RunningServer | None = None
        self.wire: WireProcess | None = None
        self.model = model
        self.phase, self.error = Phase.STOPPED, LabError("")
        self.state = LabState(Phase.STOPPED, model)
        self.sockets: ServerSockets | None = None
        """What the kernel said last of a server's sockets."""
        self.own: OwnState | None = None
        self._transport, self._report = transport, report
        self._wire_died = False
        self._address: Endpoint | None = None  # where the wire listens, or last did
        self._lock = threading.RLock()

    @property
    def living_wire(self) -> WireProcess:
        """The wire; raises `LabError` if it does not run."""
        if self.wire is None or not self.wire.alive:
            raise LabError("the wire is not running", ":start starts it")
        return self.wire

    def move(self, phase: Phase, error: LabError | None = None) -> None:
        """Enter a phase."""
        with self._lock:
            self.phase, self.error = phase, error or LabError("")
        self.refresh()

    def fail(self, error: LabError) -> None:
        """It could not be started: clients are refused."""
        self.move(Phase.FAILED, error)
        self._refuse_clients(self.wire)

    def pause_wire(self) -> None:
        """Let the wire listen no more, if it runs."""
        if self.wire is not None and self.wire.alive:
            self.wire.pause()

    def check_for_dead(self) -> None:
        """Notice a process that has ended without being asked to while the lab served."""
        with self._lock:
            wire = self.wire
            died = [each for each in (self.server, wire) if each and each.died]
            if self.phase is not Phase.SERVING or not died:
                return
            self._wire_died = wire_died = died[0] is wire
            what = "wire" if wire_died else "server"
            self.move(Phase.DEAD, LabError(f"the {what} died: {died[0].last_words}", ":start starts it again"))
        if not wire_died:
            self._refuse_clients(wire)

    def refresh(self) -> None:
        """Work out the state, and report it if it has changed. Events come in the order of states."""
        with self._lock:
            state = self._current_state()
            if state != self.state:
                self.state = state
                self._report(StateChanged(state))

    @staticmethod
    def _refuse_clients(wire: WireProcess | None) -> None:
        if wire is not None and wire.alive:
            wire.pause(wait=False)

    def _current_state(self) -> LabState:
        died = self.phase is Phase.DEAD and self._wire_died
        problem, advice = self.error.problem, self.error.advice
        state = LabState(self.phase, self.model, problem=problem, advice=advice, wire_died=died, own=self.own)
        if self.server is not None and self.phase in (Phase.STARTING, Phase.STOPPING):
            state = replace(state, progress=self.server.progress)
        server, wire = self.server if self.phase is Phase.SERVING else None, self.wire
        if wire is None:
            return state
        state = wire.reported(state)
        if server is None:
            return state
        self._address = wire.endpoint or self._address
        state = replace(server.reported(state, self._transport), address=self._address, down=wire.endpoint is None)
        return _with_sockets(state, self.sockets)


def _with_sockets(state: LabState, sockets: ServerSockets | None) -> LabState:
    """The state with what the kernel knows, if that is about its server. What the server reports itself goes first."""
    if sockets is None or sockets.server != state.server_address:
        return state
    state = replace(
        state,
        sockets=sockets,
        threads=sockets.threads if state.threads is None else state.threads,
        processes=sockets.processes if state.processes is None else state.processes,
    )
    if sockets.queue is None:
        return state
    return replace(state, queue=sockets.queue, backlog=sockets.backlog, queue_derived=False)
