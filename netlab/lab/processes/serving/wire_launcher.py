"""Starts the wires of a lab, one after the other, each with a capture file of its own. It knows no server."""

from __future__ import annotations

from netlab.capture.model import Endpoint
from netlab.lab.processes.children import Children
from netlab.lab.processes.early import EarlyChildren
from netlab.lab.processes.live_capture import LiveCapture
from netlab.lab.processes.serving.process_reports import ProcessReports
from netlab.lab.processes.setup import SEED, Setup
from netlab.lab.processes.wire_process import WireProcess


class WireLauncher:
    """What a new wire is made of: where it listens, where it captures, and its first faults.

    ``early`` are children that already run.
    """

    def __init__(
        self,
        setup: Setup,
        children: Children,
        reports: ProcessReports,
        live_capture: LiveCapture,
        early: EarlyChildren | None,
    ) -> None:
        self._setup, self._children, self._reports, self._live_capture = setup, children, reports, live_capture
        self._early = early.take if early is not None else None

    def launch(self, listen: Endpoint) -> WireProcess:
        """Start a wire, without waiting until it listens; raises `LabError`."""
        file = self._live_capture.next_file()
        words, transport = self._setup.wire_arguments(listen, file), self._setup.topic.transport
        self._reports.flows.clear()
        changed, flows, early = self._reports.on_wire_event, self._reports.on_flows, self._early
        return self._children.launch(lambda: WireProcess(words, file, listen, transport, changed, flows, early))

    def bring_up(self, wire: WireProcess, target: Endpoint) -> Endpoint:
        """Let a new wire relay to a server; returns where it listens. Even if it cannot, there is a capture then."""
        if self._setup.faults:  # before it is aimed, so that no client gets through without them
            wire.set_faults(self._setup.faults, SEED)
        wire.target(target)
        try:
            return wire.wait_listening()
        finally:
            self._live_capture.began(wire.file)
            self._reports.capture_restarted()
            self._reports.capture_grew()

    def restart_capture(self, wire: WireProcess) -> None:
        """Start a new capture."""
        file = self._live_capture.next_file()
        wire.restart_capture(file)
        self._live_capture.began(file)
        self._reports.capture_restarted()
