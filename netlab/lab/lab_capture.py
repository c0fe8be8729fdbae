"""The capture of a lab: its flows, its segments, its secrets, and how it is saved."""

from __future__ import annotations

import os

from netlab.capture.capture_file import Capture
from netlab.capture.conversations import route_of
from netlab.capture.model import Direction, Flow
from netlab.dissect.tls.outside_keys import OutsideKeys, client_random, of_clients
from netlab.lab.errors import LabError
from netlab.lab.processes.flow_table import FlowRecord
from netlab.lab.processes.live_capture import LiveCapture, Saved
from netlab.lab.processes.supervisor import Supervisor


class LabCapture:
    """The part of a `netlab.lab.lab.Lab` that concerns its capture."""

    _supervisor: Supervisor
    _live_capture: LiveCapture
    _headless: bool
    outside_keys: OutsideKeys | None = None
    """The key log of clients from outside, if one was named."""

    @property
    def flows(self) -> tuple[FlowRecord, ...]:
        """The flows of the wire, in the order in which they were opened."""
        return self._supervisor.flows.facts

    def sync(self) -> None:
        """Wait until everything that has crossed the wire is in the capture."""
        self._supervisor.sync()

    @property
    def capture(self) -> Capture:
        """The capture so far. If the lab is headless, this waits until the wire has written all that has crossed."""
        if self._headless:
            self._supervisor.sync()
        self._live_capture.grow(self._supervisor.captured)
        return self._live_capture.capture

    @property
    def shown_capture(self) -> Capture | None:
        """The part of the capture that was read so far, without waiting; None before the first capture."""
        return self._live_capture.shown

    def payload_of(self, number: int) -> memoryview:
        """The payload of a segment, by its number: a read-only view of the mapped file. Raises `LabError`."""
        capture = self.capture
        count, gone = capture.segment_count, capture.let_go
        if not gone < number <= count:
            there = f"there are {gone + 1:,} to {count:,}" if count > gone else "nothing was captured yet"
            raise LabError(f"there is no segment {number:,}", there)
        return capture.payload(number - 1)

    def save(self, path: str | os.PathLike[str], *, secrets: bool = False) -> Saved:
        """Copy the capture to a file. Returns its path, and the path of the backup of a file that was there.

        ``secrets`` includes the secrets of the clients' TLS sessions: anyone who has the file can read their data. Of a
        key log from outside only the sessions in this capture are included.
        """
        inside = (self._live_capture.secrets + self._secrets_from_outside()).encode() if secrets else None
        if inside == b"":
            raise LabError(
                "there are no TLS secrets to save", "clients of the tls topic write them; leave out --secrets"
            )
        self._supervisor.sync()
        return self._live_capture.save(path, self._supervisor.captured, secrets=inside)

    @property
    def unsaved(self) -> int:
        """The number of captured segments that were not saved."""
        return self._live_capture.unsaved

    @property
    def secrets(self) -> str:
        """The key log of the clients' TLS sessions so far, with that from outside; empty for a topic without TLS."""
        return self._live_capture.secrets + (self.outside_keys.text if self.outside_keys is not None else "")

    def _secrets_from_outside(self) -> str:
        if self.outside_keys is None:
            return ""
        capture = self.capture
        return of_clients(self.outside_keys.text, (_client_random(capture, flow) for flow in capture.flows))

    def clear_capture(self) -> None:
        """Start a new capture."""
        self._supervisor.clear_capture()


def _client_random(capture: Capture, flow: Flow) -> str:
    """The client's random, by the first bytes that it sent; empty if it does not speak TLS. Safe in any thread."""
    rows = capture.rows(route_of(flow, Direction.TO_SERVER), 0, capture.segment_count)
    return next((client_random(capture.payload(row)) for row, _, length in rows if length), "")
