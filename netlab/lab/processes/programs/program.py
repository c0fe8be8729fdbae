"""A person's own program as what a lab's server is. It knows no wire."""

from __future__ import annotations

import itertools
import json
import os
import socket
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from netlab.capture.model import Transport
from netlab.lab.processes.programs.hosted_program import HostedProgram
from netlab.lab.processes.server_plan import RunningServer, Start

PLACE: Final = "{port}"
"""What stands for the port in a program's arguments."""
GRACE: Final = 10.0
"""Seconds between SIGTERM and SIGKILL."""
_ENVIRONMENT: Final = "NETLAB_HOST_ENVIRONMENT"


@dataclass(frozen=True, slots=True)
class Program:
    """A program to run as the server. ``{port}`` in its arguments stands for ``port``, or for a free one.

    ``port`` None without ``{port}``: wherever it listens. ``environment`` is added to this process's. ``cwd`` None is
    this process's folder.
    """

    arguments: tuple[str, ...]
    port: int | None = None
    grace: float = GRACE
    cwd: Path | None = None
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def takes_port(self) -> bool:
        """Whether its arguments say where to listen."""
        return any(PLACE in each for each in self.arguments)

    @property
    def name(self) -> str:
        """The program's short name."""
        return program_name(self.arguments)

    def start(self, start: Start) -> RunningServer:
        """Start it under a supervising child."""
        transport = start.setup.topic.transport
        port = self.port or (free_port(transport) if self.takes_port else 0)
        words = ["host", "--supervised", "--grace", f"{self.grace:g}", "--port", str(port)]
        words += ["--yield-cpu"] * start.setup.yield_cpu + ["--udp"] * (transport is Transport.UDP)
        words += ["--cwd", str(self.cwd)] if self.cwd is not None else []
        words += ["--", *(each.replace(PLACE, str(port)) for each in self.arguments)]
        changes = {"PYTHONPATH": os.environ.get("PYTHONPATH"), **dict(self.environment)}
        extra = {_ENVIRONMENT: json.dumps(changes)}
        return HostedProgram(self.name, self.grace, start, port, words, extra)


def free_port(transport: Transport) -> int:
    """A port that nobody uses at the moment, in either family."""
    kind = socket.SOCK_STREAM if transport is Transport.TCP else socket.SOCK_DGRAM
    with closing(socket.socket(socket.AF_INET, kind)) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


_INTERPRETERS: Final = ("python", "node", "ruby", "perl", "php", "bash", "sh", "java", "env", "deno", "bun")


def program_name(arguments: tuple[str, ...]) -> str:
    """A program's short name: for a script that of the script, not that of its interpreter."""
    first = Path(arguments[0]).name
    if first.rstrip("0123456789.") not in _INTERPRETERS:
        return first
    for option, each in itertools.pairwise(arguments):
        if option == "-m" or not each.startswith("-"):
            return Path(each).name if option != "-c" else first
    return first
