"""The ports at which the wires of attachments listened last, so that they are the same the next time."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

MOST = 200
"""Targets that are remembered; the one that was not used for the longest time is forgotten first."""


class RememberedPorts:
    """Ports by target, in a file that may be missing, wrong or not writable: then nothing is remembered."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def of(self, target: str) -> int:
        """The port of a target; 0 if none is remembered."""
        return self._all().get(target, 0)

    def remember(self, target: str, port: int) -> None:
        """Remember the port of a target."""
        ports = self._all()
        ports.pop(target, None)
        ports[target] = port
        newest = dict(list(ports.items())[-MOST:])
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            new = self._file.with_suffix(f".{os.getpid()}")
            new.write_text(json.dumps(newest, indent=0), encoding="utf-8")
            new.replace(self._file)

    def _all(self) -> dict[str, int]:
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        known = found.items() if isinstance(found, dict) else ()
        return {str(name): port for name, port in known if isinstance(port, int) and 0 < port < 65536}
