"""What a lab's children and the kernel report, brought into its flows, its log and its state. It changes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from netlab.capture.model import Transport
from netlab.lab.processes.child import Message
from netlab.lab.processes.flow_table import FlowTable, LogTranslator
from netlab.lab.processes.server_and_wire import ServerAndWire
from netlab.lab.processes.server_plan import RunningServer
from netlab.lab.processes.wire_process import WireProcess
from netlab.lab.sampling.sampler import Sampler
from netlab.lab.sampling.subject import Subject
from netlab.lab.server_sockets import ServerSockets
from netlab.lab.state import CaptureGrew, CaptureRestarted, Event, LogGrew, LogLine, Phase


class ProcessReports:
    """Takes the messages of the children, and lets the kernel be asked about the server. Safe from several threads."""

    def __init__(self, now: ServerAndWire, transport: Transport, report: Callable[[Event], None]) -> None:
        self._now, self._transport, self._report = now, transport, report
        self.flows = FlowTable()
        self._log = LogTranslator(self.flows, lambda line: report(LogGrew(line)))
        self.sampler = Sampler(self._subject, self.flows, self._measured, self._on_sockets)

    @property
    def server_reports(self) -> bool:
        """Whether the server reports itself whom it has accepted."""
        return self._now.server is not None and self._now.server.reports

    def add_line(self, line: LogLine) -> None:
        """The server wrote a line."""
        self._log.add_line(line)

    def on_server_message(self, server: RunningServer) -> None:
        """The server has changed."""
        if server is self._now.server:
            self._now.check_for_dead()
            self._now.refresh()

    def on_flows(self, message: Message) -> None:
        """Flows of the wire have changed."""
        self._log.update_flows(message)
        self.sampler.wake()

    def on_wire_event(self, wire: WireProcess, event: str) -> None:
        """The wire has captured or holds something else than before, or it has changed."""
        if wire is not self._now.wire:
            return
        if event == "captured":
            self.sampler.wake()
            self.capture_grew()
        elif event in ("held", "freed"):
            self.flows.holding(wire.held.values(), time.time_ns())
        self._now.check_for_dead()
        self._now.refresh()

    def capture_restarted(self) -> None:
        """A new capture has begun."""
        self._report(CaptureRestarted())

    def capture_grew(self) -> None:
        """There is more in the capture."""
        self._report(CaptureGrew())

    def _subject(self) -> Subject | None:
        """The server to look at, while it serves."""
        state, server = self._now.state, self._now.server
        if state.phase is not Phase.SERVING or state.server_address is None or server is None:
            return None
        return Subject(state.server_address, self._transport, state.address, state.server_pid, self.server_reports)

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
