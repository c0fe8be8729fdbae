"""Starts the servers of a lab, one after the other. It does not know which of them serves."""

from __future__ import annotations

from netlab.capture.model import Transport
from netlab.lab.processes.children import Children
from netlab.lab.processes.early import EarlyChildren
from netlab.lab.processes.server_plan import RunningServer, ServerPlan, Start
from netlab.lab.processes.serving.process_reports import ProcessReports
from netlab.lab.processes.setup import Setup
from netlab.lab.topic_options import Options


class ServerLauncher:
    """What a new server is made of: the ``plan``, the options, and how long it lets a client stall.

    ``idle`` is that in seconds; `math.inf` is no limit, None the usual one. While ``suspended``, silence does not
    count. ``early`` are children that already run.
    """

    def __init__(
        self,
        setup: Setup,
        options: Options,
        children: Children,
        reports: ProcessReports,
        *,
        plan: ServerPlan,
        idle: float | None,
        early: EarlyChildren | None,
    ) -> None:
        self.plan, self.idle, self.suspended = plan, idle, False
        self._setup, self._options, self._children, self._reports = setup, options, children, reports
        self._early = early.take if early is not None else None

    def launch(self, model: str) -> RunningServer:
        """Start a server, without waiting until it listens; raises `LabError`."""
        changed, add_line = self._reports.on_server_message, self._reports.add_line
        start = Start(self._setup, model, self._options, self.idle, changed, add_line, self._early)
        return self._children.launch(lambda: self.plan.start(start))

    def set_patience(self, server: RunningServer | None) -> None:
        """Let a server's clients stall as long as is set now."""
        if server is not None and self._setup.topic.transport is Transport.TCP:
            server.set_patience(self.idle, suspended=self.suspended)
