"""Which protocol a person chose for a flow, or for a port; what was chosen for a port is remembered in a file."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from netlab.capture.model import Flow
from netlab.dissect.flow import Protocol

MOST_PORTS = 1000
_LONGEST_FILE = 1 << 18


def _port(flow: Flow) -> str:
    return f"{flow.transport.value} {flow.server.port}"


class Choices:
    """Names of protocols by flow and by port. ``named`` finds a protocol; ``file`` keeps the ports, if one is given.

    A file that cannot be read or written is left alone.
    """

    def __init__(self, named: Callable[[str], Protocol | None], file: Path | None = None) -> None:
        self._named, self._file = named, file
        self._flows: dict[int, str] = {}
        self._ports: dict[str, str] = {}
        if file is not None:
            with suppress(OSError, ValueError):
                self._load(file)

    def _load(self, file: Path) -> None:
        if file.stat().st_size <= _LONGEST_FILE:
            read = json.loads(file.read_text(encoding="utf-8"))
            pairs = read.items() if isinstance(read, dict) else ()
            self._ports = {port: name for port, name in pairs if isinstance(name, str)}

    def name(self, flow: Flow) -> str:
        """What was chosen for a flow, or for its port; empty if nothing was."""
        return self._flows.get(flow.number, self._ports.get(_port(flow), ""))

    def __call__(self, flow: Flow) -> Protocol | None:
        """The protocol that was chosen for a flow, if it is known."""
        name = self.name(flow)
        return self._named(name) if name else None

    def for_flow(self, flow: Flow, name: str) -> None:
        """Choose for one flow; an empty name leaves it to its first bytes, whatever its port's choice."""
        self._flows[flow.number] = name

    def for_port(self, flow: Flow, name: str) -> None:
        """Choose for the flow's port, and remember it; an empty name takes the choice back."""
        self._flows.pop(flow.number, None)
        self._ports.pop(_port(flow), None)
        if name and len(self._ports) < MOST_PORTS:
            self._ports[_port(flow)] = name
        if self._file is not None:
            with suppress(OSError):
                self._save(self._file)

    def forget_flows(self) -> None:
        """Forget what was chosen for single flows: another capture has others."""
        self._flows.clear()

    def _save(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        written = file.with_suffix(f".{os.getpid()}")
        written.write_text(json.dumps(self._ports, indent=1, sort_keys=True), encoding="utf-8")
        written.replace(file)
