"""Server and wire together: started, replaced, stopped, and their state. It knows no session.

Every change takes the work lock, so that changes come one after the other; messages of the children come at any time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from netlab.capture.model import Endpoint
from netlab.lab.errors import LabError
from netlab.lab.processes.children import Children
from netlab.lab.processes.early import EarlyChildren
from netlab.lab.processes.live_capture import CaptureExtent, LiveCapture
from netlab.lab.processes.server_and_wire import ServerAndWire
from netlab.lab.processes.server_plan import Recipe, RunningServer, ServerPlan, StoppedEarly, end, lingers
from netlab.lab.processes.serving.process_reports import ProcessReports
from netlab.lab.processes.serving.server_exchange import ServerExchange
from netlab.lab.processes.serving.server_launcher import ServerLauncher
from netlab.lab.processes.serving.standing_watch import StandingWatch
from netlab.lab.processes.serving.wire_launcher import WireLauncher
from netlab.lab.processes.setup import Setup
from netlab.lab.processes.wire_process import WireProcess
from netlab.lab.state import Event, LabState, OwnState, Phase
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
        self._setup, self._listen = setup, Endpoint(setup.host, port)
        self._now = ServerAndWire(model, setup.topic.transport, report)
        self._work = threading.RLock()
        self._children = Children()
        self._reports = reports = ProcessReports(self._now, setup.topic.transport, report)
        self.flows, self.sampler = reports.flows, reports.sampler
        self.standing = StandingWatch(self._now, self.flows)
        self._servers = ServerLauncher(
            setup, options, self._children, reports, plan=plan or Recipe(), idle=idle, early=early
        )
        self._wires = WireLauncher(setup, self._children, reports, live_capture, early)
        self._exchange = ServerExchange(self._now, self._servers, self.flows, self.start)

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
    def server_reports(self) -> bool:
        """Whether the server reports itself whom it has accepted."""
        return self._reports.server_reports

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
                self._now.pause_wire()
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
            self._now.move(Phase.STOPPING if lingers(server) else Phase.STOPPED)
            try:
                self._now.pause_wire()
                self._end_flows(server)
            finally:
                end(server)
                self._now.move(Phase.STOPPED)

    def hurry(self) -> None:
        """Let a program that starts or ends slowly end; the second time at once. Waits for nothing."""
        server = self._now.server
        if server is not None and self._now.phase in (Phase.STARTING, Phase.STOPPING):
            server.hurry()

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

    def set_model(self, model: str, plan: ServerPlan | None = None) -> None:
        """Serve with another model, on the same address: new flows go to a new server, old ones are reset.

        ``plan`` changes what the server is, too.
        """
        known = self._setup.topic.models
        if model not in known:
            raise LabError(f"{self._setup.topic.name} has no model {model[:40]!r}", f"there are {', '.join(known)}")
        if reason := self._setup.topic.lacking(model):
            raise LabError(f"cannot serve with {model}: {reason}", "another model works here")
        self.replace_server(f"model {model}", model, plan)

    @property
    def idle(self) -> float | None:
        """How many seconds the server lets a client stall; `math.inf` is no limit, None the usual one."""
        return self._servers.idle

    def set_idle(self, seconds: float) -> None:
        """Let clients stall so long, those that are being served as well."""
        with self._work:
            self._servers.idle = seconds
            self._servers.set_patience(self._now.server)

    def suspend(self, on: bool) -> None:
        """Let no client be dropped for its silence while a person holds something. Any thread."""
        if on != self._servers.suspended:
            self._servers.suspended = on
            self._servers.set_patience(self._now.server)

    @property
    def plan(self) -> ServerPlan:
        """What the server is."""
        return self._servers.plan

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
            self._exchange.replace(why if whole else f"the server was restarted for {why}", model, plan)

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
            self._wires.restart_capture(self._now.living_wire)
            self._now.refresh()

    def with_wire(self, do: Callable[[WireProcess], T]) -> T:
        """Have the wire do something, after any change that is under way."""
        with self._work:
            return do(self._now.living_wire)

    def sync(self) -> None:
        """Wait until what has crossed the wire is in the capture."""
        if self._now.wire is not None and self._now.wire.alive:
            self._now.wire.sync()

    def _bring_up(self) -> None:
        server, wire = self._now.server, self._now.wire
        if server is None or not server.running or server.model != self._now.model:
            end(server)
            server = self._now.server = self._servers.launch(self._now.model)
        fresh = wire is None or not wire.alive
        if wire is None or fresh:
            wire = self._now.wire = self._wires.launch(self._listen)
        endpoint = server.wait()
        self._servers.set_patience(server)
        if fresh:
            self._listen = self._wires.bring_up(wire, endpoint)
        else:
            wire.target(endpoint)
            self._listen = wire.listen(self._listen)

    def _end_flows(self, server: RunningServer | None) -> None:
        """Say why the open flows end; reset them where no process ends them."""
        if server is None or server.child is not None or self._now.wire is None:
            self.flows.restarted("the server was stopped")
            return
        self.flows.restarted(WIRE_STOPPED, by_wire=True)
        self._now.wire.drop_flows(WIRE_STOPPED)
