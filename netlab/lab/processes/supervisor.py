"""Server and wire together: started, replaced, stopped, and their state. It knows no session.

Every change takes the work lock, so that changes come one after the other; messages of the children come at any time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from netlab.capture.model import Endpoint, Transport
from netlab.lab.errors import LabError
from netlab.lab.processes.child import Message
from netlab.lab.processes.children import Children
from netlab.lab.processes.early import EarlyChildren
from netlab.lab.processes.flow_table import FlowTable, LogTranslator
from netlab.lab.processes.live_capture import CaptureExtent, LiveCapture
from netlab.lab.processes.programs.program import Program
from netlab.lab.processes.server_and_wire import ServerAndWire
from netlab.lab.processes.server_plan import Recipe, RunningServer, ServerPlan, Start, StoppedEarly
from netlab.lab.processes.setup import SEED, Setup
from netlab.lab.processes.wire_process import WireProcess
from netlab.lab.sampling.sampler import Sampler
from netlab.lab.sampling.subject import Subject
from netlab.lab.server_sockets import ServerSockets
from netlab.lab.state import CaptureGrew, CaptureRestarted, Event, LabState, LogGrew, OwnState, Phase
from netlab.lab.topic_options import Options

T = TypeVar("T")
WIRE_STOPPED = "the wire was stopped"
"""Why flows to a server that is not the lab's end when the lab is stopped."""
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
        plan: ServerPlan | None = None,
    ) -> None:
        """``idle`` seconds are how long the server lets a client stall; `math.inf` is no limit, None the usual one.

        ``plan`` is what the server is; None: the topic's recipe.
        """
        self._setup, self._options, self._live_capture, self._report = setup, options, live_capture, report
        self._listen = Endpoint(setup.host, port)
        self._plan: ServerPlan = plan or Recipe()
        self._now = ServerAndWire(model, setup.topic.transport, report)
        self._work = threading.RLock()
        self.flows = FlowTable()
        self._log = LogTranslator(self.flows, lambda line: report(LogGrew(line)))
        self._children = Children()
        self._early = early.take if early is not None else None
        self.sampler = Sampler(self._subject, self.flows, self._measured, self._on_sockets)
        self._idle, self._suspended = idle, False

    @property
    def state(self) -> LabState:
        """The state now."""
        return self._now.state

    @property
    def address(self) -> Endpoint:
        """Where clients connect, or last did; raises `LabError` if the lab never served there."""
        if self._now.phase is Phase.FAILED:  # another program answers there
            raise self._now.error
        if not self._listen.port:
            raise LabError("the lab has not been started", ":start starts it")
        return self._listen

    @property
    def captured(self) -> CaptureExtent:
        """How much of the capture is complete, and in which files."""
        return self._now.wire.captured if self._now.wire is not None else CaptureExtent()

    def start(self) -> None:
        """Serve: start both children, or the one that is missing. Does nothing while serving."""
        with self._work:
            if self._now.phase is Phase.SERVING:
                return
            self._now.move(Phase.STARTING)
            try:
                self._bring_up()
                self._children.refuse_if_closed()
            except StoppedEarly:
                self._pause()
                self._now.move(Phase.STOPPED)
                return
            except LabError as error:
                self._now.fail(error)
                raise
            self._now.move(Phase.SERVING)
            self._now.check_for_dead()
            self.sampler.start()

    def stop(self) -> None:
        """Stop listening and end the server; the capture stays, and open flows end as the server ends them.

        Flows to a server that the lab did not start are reset.
        """
        with self._work:
            server = self._now.server
            self._now.move(Phase.STOPPING if _lingers(server) else Phase.STOPPED)
            try:
                self._pause()
                self._end_flows(server)
            finally:
                self._end(server)
                self._now.move(Phase.STOPPED)

    def hurry(self) -> None:
        """Let a program that starts or ends slowly end; the second time at once. Waits for nothing."""
        server = self._now.server
        if server is not None and self._now.phase in (Phase.STARTING, Phase.STOPPING):
            server.hurry()

    def _pause(self) -> None:
        if self._now.wire is not None and self._now.wire.alive:
            self._now.wire.pause()

    def close(self) -> None:
        """End both children, also while they start. Closing twice does nothing."""
        self.sampler.stop()
        self._children.close()
        if self._work.acquire(timeout=_GIVING_UP):
            self._work.release()
        self._now.move(Phase.STOPPED)

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
            self._set_patience(self._now.server)

    def suspend(self, on: bool) -> None:
        """Let no client be dropped for its silence while a person holds something. Any thread."""
        if on != self._suspended:
            self._suspended = on
            self._set_patience(self._now.server)

    def _set_patience(self, server: RunningServer | None) -> None:
        if server is not None and self._setup.topic.transport is Transport.TCP:
            server.set_patience(self._idle, suspended=self._suspended)

    @property
    def plan(self) -> ServerPlan:
        """What the server is."""
        return self._plan

    def fail(self, error: LabError) -> None:
        """Say in the state why nothing serves."""
        self._now.fail(error)

    def set_own(self, own: OwnState | None) -> None:
        """Say in the state which file of a person's own serves."""
        self._now.own = own
        self._now.refresh()

    def replace_server(
        self, why: str, model: str | None = None, plan: ServerPlan | None = None, *, whole: bool = False
    ) -> None:
        """Start a server with the current plan, model and options, then end the old one. If that fails, the old stays.

        ``why`` is the reason: open flows end with it. It is a ``whole`` clause, or what the server was restarted for.
        ``plan`` and ``model`` change what the server is.
        """
        with self._work:
            before = self._plan, self._now.model
            self._plan, self._now.model = plan or self._plan, model or self._now.model
            try:
                if self._now.phase is Phase.SERVING:
                    self._exchange(why if whole else f"the server was restarted for {why}")
                else:
                    self._end(self._now.server)
                    self._now.server = None
                    if self._now.phase is not Phase.STOPPED:
                        self.start()
            except LabError:
                if self._now.phase is Phase.SERVING:
                    self._plan, self._now.model = before
                raise
            finally:
                self._now.refresh()

    def listen(self, port: int) -> Endpoint:
        """Let the wire listen on another port (0: any free one). If that fails while serving, the old one stays."""
        with self._work:
            before, self._listen = self._listen, Endpoint(self._setup.host, port)
            if self._now.phase is not Phase.SERVING or self._now.wire is None:
                self.start()
                return self._listen
            try:
                self._listen = self._now.wire.listen(self._listen)
            except LabError:
                self._listen = self._now.wire.listen(before)
                raise
            finally:
                self._now.refresh()
            return self._listen

    def clear_capture(self) -> None:
        """Start a new capture."""
        with self._work:
            wire = self._now.living_wire
            file = self._live_capture.next_file()
            wire.restart_capture(file)
            self._live_capture.began(file)
            self._report(CaptureRestarted())
            self._now.refresh()

    def with_wire(self, do: Callable[[WireProcess], T]) -> T:
        """Have the wire do something, after any change that is under way."""
        with self._work:
            return do(self._now.living_wire)

    def sync(self) -> None:
        """Wait until what has crossed the wire is in the capture."""
        if self._now.wire is not None and self._now.wire.alive:
            self._now.wire.sync()

    # Starting and ending

    def _bring_up(self) -> None:
        server, wire = self._now.server, self._now.wire
        if server is None or not server.running or server.model != self._now.model:
            self._end(server)
            server = self._now.server = self._new_server()
        fresh = wire is None or not wire.alive
        if wire is None or fresh:
            wire = self._new_wire()
        endpoint = server.wait()
        self._set_patience(server)
        if fresh and self._setup.faults:
            wire.set_faults(self._setup.faults, SEED)
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
        assert self._now.wire is not None
        if self._both_want_one_port:
            self._take_turns(why)
            return
        new = self._new_server()
        try:
            endpoint = new.wait()
        except LabError:
            self._end(new)
            raise
        self._set_patience(new)
        old, self._now.server = self._now.server, new
        if old is not None:
            old.retire()
        self._now.wire.target(endpoint)
        self.flows.restarted(why)
        self._now.wire.drop_flows(why)
        self._end(old)
        self._now.check_for_dead()

    @property
    def _both_want_one_port(self) -> bool:
        """Whether the server and the one that is to replace it are programs that choose where to listen themselves."""
        plan = self._plan
        return isinstance(plan, Program) and not plan.takes_port and _lingers(self._now.server)

    def _take_turns(self, why: str) -> None:
        """End the old server before the new one starts. If that one does not serve, nothing does."""
        self.flows.restarted(why)
        self._now.living_wire.drop_flows(why)
        self._now.move(Phase.STOPPING)
        self._pause()
        self._end(self._now.server)
        self.start()

    def _new_server(self) -> RunningServer:
        changed, add_line = self._on_server_message, self._log.add_line
        start = Start(self._setup, self._now.model, self._options, self._idle, changed, add_line, self._early)
        return self._children.launch(lambda: self._plan.start(start))

    def _new_wire(self) -> WireProcess:
        file = self._live_capture.next_file()
        words, transport = self._setup.wire_arguments(self._listen, file), self._setup.topic.transport
        self.flows.clear()
        changed, flows, early = self._on_wire_event, self._on_flows, self._early
        self._now.wire = self._children.launch(
            lambda: WireProcess(words, file, self._listen, transport, changed, flows, early)
        )
        return self._now.wire

    def _end(self, server: RunningServer | None) -> None:
        if server is not None:
            server.stop()

    def _end_flows(self, server: RunningServer | None) -> None:
        """Say why the open flows end; reset them where no process ends them."""
        if server is None or server.child is not None or self._now.wire is None:
            self.flows.restarted("the server was stopped")
            return
        self.flows.restarted(WIRE_STOPPED, by_wire=True)
        self._now.wire.drop_flows(WIRE_STOPPED)

    # What the kernel knows

    @property
    def server_reports(self) -> bool:
        """Whether the server reports itself whom it has accepted."""
        return self._now.server is not None and self._now.server.reports

    def _subject(self) -> Subject | None:
        """The server to look at, while it serves."""
        state, server = self._now.state, self._now.server
        if state.phase is not Phase.SERVING or state.server_address is None or server is None:
            return None
        transport, reports = self._setup.topic.transport, self.server_reports
        return Subject(state.server_address, transport, state.address, state.server_pid, reports)

    def _measured(self, flows: Sequence[int]) -> Mapping[int, tuple[int, int]]:
        """What the wire said last of flows; ask again about these."""
        wire = self._now.wire
        if wire is None or not wire.alive:
            return {}
        wire.measure(flows)
        return wire.measured

    def _on_sockets(self, sockets: ServerSockets | None) -> None:
        if sockets != self._now.sockets:
            self._now.sockets = sockets
            self._now.refresh()

    # What they report

    def _on_flows(self, message: Message) -> None:
        self._log.update_flows(message)
        self.sampler.wake()

    def _on_server_message(self, server: RunningServer) -> None:
        if server is self._now.server:
            self._now.check_for_dead()
            self._now.refresh()

    def _on_wire_event(self, wire: WireProcess, event: str) -> None:
        if wire is not self._now.wire:
            return
        if event == "captured":
            self.sampler.wake()
            self._report(CaptureGrew())
        elif event in ("held", "freed"):
            self.flows.holding(wire.held.values(), time.time_ns())
        self._now.check_for_dead()
        self._now.refresh()


def _lingers(server: RunningServer | None) -> bool:
    """Whether it ends in its own time."""
    return server is not None and server.child is not None and server.child.lingers
