"""Server and wire together: started, replaced, stopped, and their state. It knows no session.

Every change takes the work lock, so that changes come one after the other; messages of the children come at any time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from netlab.capture.model import Endpoint, Transport
from netlab.lab.errors import LabError
from netlab.lab.processes import child
from netlab.lab.processes.children import Children
from netlab.lab.processes.early import EarlyChildren
from netlab.lab.processes.flow_table import FlowTable, LogTranslator
from netlab.lab.processes.live_capture import LiveCapture
from netlab.lab.processes.server_process import ServerProcess
from netlab.lab.processes.setup import Setup
from netlab.lab.processes.wire_process import WireProcess
from netlab.lab.state import CaptureGrew, CaptureRestarted, Event, LabState, LogGrew, Phase, StateChanged
from netlab.lab.topic_options import Options

T = TypeVar("T")
_GIVING_UP = 2.5  # seconds that `close` waits for a change that is under way


class Supervisor:
    """The two children of a lab. Methods raise `LabError`; `state` has the same error. Safe from several threads."""

    def __init__(
        self,
        setup: Setup,
        model: str,
        port: int,
        options: Options,
        live_capture: LiveCapture,
        report: Callable[[Event], None],
        idle: float | None,
        early: EarlyChildren | None = None,
    ) -> None:
        """``idle`` seconds are how long the server lets a client stall; `math.inf` is no limit, None the usual one."""
        self._setup, self._options, self._live_capture, self._report = setup, options, live_capture, report
        self._listen = Endpoint(setup.host, port)
        self._server: ServerProcess | None = None
        self._wire: WireProcess | None = None
        self._work, self._lock = threading.RLock(), threading.RLock()
        self.flows = FlowTable()
        self._log = LogTranslator(self.flows, lambda line: report(LogGrew(line)))
        self._children = Children()
        self._early = early.take if early is not None else None
        self.state = LabState(Phase.STOPPED, model)
        self._phase, self._model, self._error = Phase.STOPPED, model, LabError("")
        self._wire_died = False
        self._idle, self._suspended = idle, False

    @property
    def address(self) -> Endpoint:
        """Where clients connect, or last did; raises `LabError` if the lab never served there."""
        if self._phase is Phase.FAILED:  # another program answers there
            raise self._error
        if not self._listen.port:
            raise LabError("the lab has not been started", ":start starts it")
        return self._listen

    @property
    def captured_length(self) -> int:
        """How many bytes of the capture file are complete."""
        return self._wire.length if self._wire is not None else 0

    def start(self) -> None:
        """Serve: start both children, or the one that is missing. Does nothing while serving."""
        with self._work:
            if self._phase is Phase.SERVING:
                return
            self._move(Phase.STARTING)
            try:
                self._bring_up()
                self._children.refuse_if_closed()
            except LabError as error:
                self._fail(error)
                raise
            self._move(Phase.SERVING)
            self._check_for_dead_children()

    def stop(self) -> None:
        """Stop listening and end the server; the capture stays, and open flows end as the server ends them."""
        with self._work:
            self._move(Phase.STOPPED)
            try:
                if self._wire is not None and self._wire.alive:
                    self._wire.pause()
                self.flows.restarted("the server was stopped")
            finally:
                self._end(self._server)

    def close(self) -> None:
        """End both children, also while they start. Closing twice does nothing."""
        self._children.close()
        if self._work.acquire(timeout=_GIVING_UP):
            self._work.release()
        self._move(Phase.STOPPED)

    def refuse_if_closed(self) -> None:
        """Raise `LabError` once it is closed."""
        self._children.refuse_if_closed()

    def set_model(self, model: str) -> None:
        """Serve with another model, on the same address: new flows go to a new server, old ones are reset."""
        known = self._setup.topic.models
        if model not in known:
            raise LabError(f"{self._setup.topic.name} has no model {model[:40]!r}", f"there are {', '.join(known)}")
        if reason := self._setup.topic.lacking(model):
            raise LabError(f"cannot serve with {model}: {reason}", "another model works here")
        self.replace_server(f"model {model}", model)

    @property
    def idle(self) -> float | None:
        """How many seconds the server lets a client stall; `math.inf` is no limit, None the usual one."""
        return self._idle

    def set_idle(self, seconds: float) -> None:
        """Let clients stall so long, those that are being served as well."""
        with self._work:
            self._idle = seconds
            self._set_patience(self._server)

    def suspend(self, on: bool) -> None:
        """Let no client be dropped for its silence while a person holds something. Any thread."""
        if on != self._suspended:
            self._suspended = on
            self._set_patience(self._server)

    def _set_patience(self, server: ServerProcess | None) -> None:
        if server is not None and self._setup.topic.transport is Transport.TCP:
            server.set_patience(self._idle, suspended=self._suspended)

    def replace_server(self, why: str, model: str | None = None) -> None:
        """Start a server with the current model and options, then end the old one. If that fails, the old one stays.

        ``why`` is the reason in a few words: open flows end with it.
        """
        with self._work:
            before, self._model = self._model, model or self._model
            try:
                if self._phase is Phase.SERVING:
                    self._exchange(f"the server was restarted for {why}")
                elif self._phase is not Phase.STOPPED:
                    self._end(self._server)
                    self.start()
            except LabError:
                self._model = before if self._phase is Phase.SERVING else self._model
                raise
            finally:
                self._refresh()

    def listen(self, port: int) -> Endpoint:
        """Let the wire listen on another port (0: any free one). If that fails while serving, the old one stays."""
        with self._work:
            before, self._listen = self._listen, Endpoint(self._setup.host, port)
            if self._phase is not Phase.SERVING or self._wire is None:
                self.start()
                return self._listen
            try:
                self._listen = self._wire.listen(self._listen)
            except LabError:
                self._listen = self._wire.listen(before)
                raise
            finally:
                self._refresh()
            return self._listen

    def clear_capture(self) -> None:
        """Start a new capture."""
        with self._work:
            wire = self._living_wire()
            file = self._live_capture.next_file()
            wire.restart_capture(file)
            self._live_capture.began(file)
            self._report(CaptureRestarted())
            self._refresh()

    def with_wire(self, do: Callable[[WireProcess], T]) -> T:
        """Have the wire do something, after any change that is under way."""
        with self._work:
            return do(self._living_wire())

    def sync(self) -> None:
        """Wait until what has crossed the wire is in the capture."""
        if self._wire is not None and self._wire.alive:
            self._wire.sync()

    # Starting and ending

    def _bring_up(self) -> None:
        server, wire = self._server, self._wire
        if server is None or not server.running or server.model != self._model:
            self._end(server)
            server = self._server = self._new_server()
        fresh = wire is None or not wire.alive
        if wire is None or fresh:
            wire = self._new_wire()
        endpoint = server.wait()
        self._set_patience(server)
        wire.target(endpoint)
        self._listen = self._first_listening(wire) if fresh else wire.listen(self._listen)

    def _first_listening(self, wire: WireProcess) -> Endpoint:
        """A new wire's outcome; whichever it is, there is a capture file then."""
        try:
            return wire.wait_listening()
        finally:
            self._live_capture.began(wire.file)
            self._report(CaptureRestarted())
            self._report(CaptureGrew())

    def _exchange(self, why: str) -> None:
        assert self._wire is not None
        new = self._new_server()
        try:
            endpoint = new.wait()
        except LabError:
            self._end(new)
            raise
        self._set_patience(new)
        old, self._server = self._server, new
        self._wire.target(endpoint)
        self.flows.restarted(why)
        self._wire.drop_flows(why)
        self._end(old)
        self._check_for_dead_children()

    def _new_server(self) -> ServerProcess:
        arguments = self._setup.server_arguments(self._model, self._options, self._idle)
        secrets = self._options.server_environment()
        changed, add_line = self._on_server_message, self._log.add_line
        return self._children.launch(
            lambda: ServerProcess(self._model, arguments, secrets, changed, add_line, self._early)
        )

    def _new_wire(self) -> WireProcess:
        file = self._live_capture.next_file()
        words, transport = self._setup.wire_arguments(self._listen, file), self._setup.topic.transport
        self.flows.clear()
        changed, flows, early = self._on_wire_event, self._log.update_flows, self._early
        self._wire = self._children.launch(
            lambda: WireProcess(words, file, self._listen, transport, changed, flows, early)
        )
        return self._wire

    def _end(self, server: ServerProcess | None) -> None:
        if server is not None:
            child.stop(server.child)

    def _living_wire(self) -> WireProcess:
        if self._wire is None or not self._wire.alive:
            raise LabError("the wire is not running", ":start starts it")
        return self._wire

    # What is true

    def _move(self, phase: Phase, error: LabError | None = None) -> None:
        with self._lock:
            self._phase, self._error = phase, error or LabError("")
        self._refresh()

    def _fail(self, error: LabError) -> None:
        self._move(Phase.FAILED, error)
        if self._wire is not None and self._wire.alive:
            self._wire.pause(wait=False)

    def _check_for_dead_children(self) -> None:
        """Notice a child that has ended without being asked to while the lab served."""
        with self._lock:
            wire = self._wire
            ended = [p for p in (self._server, wire) if p and p.child.ended.is_set() and not p.child.asked_to_end]
            if self._phase is not Phase.SERVING or not ended:
                return
            self._wire_died = wire_died = ended[0] is wire
            what = "wire" if wire_died else "server"
            self._move(Phase.DEAD, LabError(f"the {what} died: {ended[0].last_words}", ":start starts it again"))
        if wire is not None and not wire_died:
            wire.pause(wait=False)

    def _on_server_message(self, server: ServerProcess) -> None:
        if server is self._server:
            self._check_for_dead_children()
            self._refresh()

    def _on_wire_event(self, wire: WireProcess, event: str) -> None:
        if wire is not self._wire:
            return
        if event == "captured":
            self._report(CaptureGrew())
        elif event in ("held", "freed"):
            self.flows.holding(wire.held.values(), time.time_ns())
        self._check_for_dead_children()
        self._refresh()

    def _refresh(self) -> None:
        """Work out the state, and report it if it has changed. Events come in the order of states."""
        with self._lock:
            state = self._current_state()
            if state != self.state:
                self.state = state
                self._report(StateChanged(state))

    def _current_state(self) -> LabState:
        died = self._phase is Phase.DEAD and self._wire_died
        problem, advice = self._error.problem, self._error.advice
        state = LabState(self._phase, self._model, problem=problem, advice=advice, wire_died=died)
        server, wire = self._server if self._phase is Phase.SERVING else None, self._wire
        if wire is None:
            return state
        state = wire.reported(state)
        if server is None:
            return state
        return replace(server.reported(state, self._setup.topic.transport), address=wire.endpoint)
