"""Puts a new server in the place of the one that serves. It takes no lock: its caller has the lab's work lock."""

from __future__ import annotations

from collections.abc import Callable

from netlab.lab.errors import LabError
from netlab.lab.processes.flow_table import FlowTable
from netlab.lab.processes.programs.program import Program
from netlab.lab.processes.server_and_wire import ServerAndWire
from netlab.lab.processes.server_plan import ServerPlan, end, lingers
from netlab.lab.processes.serving.server_launcher import ServerLauncher
from netlab.lab.state import Phase


class ServerExchange:
    """Starts the new server and ends the old one. ``start`` serves when nothing does."""

    def __init__(
        self, now: ServerAndWire, launcher: ServerLauncher, flows: FlowTable, start: Callable[[], None]
    ) -> None:
        self._now, self._launcher, self._flows, self._start = now, launcher, flows, start

    def replace(self, why: str, model: str | None, plan: ServerPlan | None) -> None:
        """Serve with this plan and model (None: as before). If that fails, the old server stays.

        ``why`` is a clause: open flows end with it.
        """
        launcher, before = self._launcher, (self._launcher.plan, self._now.model)
        launcher.plan, self._now.model = plan or launcher.plan, model or self._now.model
        try:
            if self._now.phase is Phase.SERVING:
                self._exchange(why)
            else:
                end(self._now.server)
                self._now.server = None
                if self._now.phase is not Phase.STOPPED:
                    self._start()
        except LabError:
            if self._now.phase is Phase.SERVING:
                launcher.plan, self._now.model = before
            raise
        finally:
            self._now.refresh()

    def _exchange(self, why: str) -> None:
        assert self._now.wire is not None
        if self._both_want_one_port:
            self._take_turns(why)
            return
        new = self._launcher.launch(self._now.model)
        try:
            endpoint = new.wait()
        except LabError:
            end(new)
            raise
        self._launcher.set_patience(new)
        old, self._now.server = self._now.server, new
        if old is not None:
            old.retire()
        self._now.wire.target(endpoint)
        self._flows.restarted(why)
        self._now.wire.drop_flows(why)
        end(old)
        self._now.check_for_dead()

    @property
    def _both_want_one_port(self) -> bool:
        """Whether the server and the one that is to replace it are programs that choose where to listen themselves."""
        plan = self._launcher.plan
        return isinstance(plan, Program) and not plan.takes_port and lingers(self._now.server)

    def _take_turns(self, why: str) -> None:
        """End the old server before the new one starts. If that one does not serve, nothing does."""
        self._flows.restarted(why)
        self._now.living_wire.drop_flows(why)
        self._now.move(Phase.STOPPING)
        self._now.pause_wire()
        end(self._now.server)
        self._start()
