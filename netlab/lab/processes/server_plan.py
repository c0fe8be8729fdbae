"""What the server of a lab is: the topic's recipe, or a server elsewhere. It knows no wire.

A plan is a value: it starts a server, and can start it again. A lab gets it as ``Lab(…, server=…)``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from netlab.capture.model import Endpoint, Transport
from netlab.dissect.text import safe
from netlab.lab.errors import LabError
from netlab.lab.processes.child import Child
from netlab.lab.processes.server_process import ServerProcess
from netlab.lab.processes.setup import Setup
from netlab.lab.standing.standings import Standings
from netlab.lab.state import LabState, LogLine, ProgramProgress
from netlab.lab.topic_options import Options
from netlab.names import resolve


class StoppedEarly(LabError):
    """A server was stopped before it listened, as a person asked."""


class RunningServer(Protocol):
    """A server that was started. `ServerProcess` is one; methods may be called from any thread."""

    @property
    def model(self) -> str:
        """The model that it serves with."""

    @property
    def child(self) -> Child | None:
        """Its process, which ends with the lab; None if the lab has started none."""

    @property
    def running(self) -> bool:
        """Whether clients can be sent to it."""

    @property
    def died(self) -> bool:
        """Whether it ended without being asked to."""

    @property
    def reports(self) -> bool:
        """Whether it reports itself whom it has accepted."""

    @property
    def last_words(self) -> str:
        """Why it ended; one line."""

    @property
    def progress(self) -> ProgramProgress | None:
        """How far its start or its end is, if either takes long."""

    def wait(self) -> Endpoint:
        """Wait until it listens, and return where; raises `LabError` with its reason if it does not."""

    def hurry(self) -> None:
        """If its start or its end takes long: end it, the second time at once. Returns at once."""

    def reported(self, state: LabState, transport: Transport) -> LabState:
        """A lab's state with what is known of the server; the wire's report is in it already."""

    def set_patience(self, seconds: float | None, *, suspended: bool) -> None:
        """How long its clients may stall; None: as before. ``suspended`` lets silence not count."""

    def watch_standing(self, on: bool) -> None:
        """Let it report where its code stands, if it can, or report that no more."""

    @property
    def standing(self) -> Standings | None:
        """Where its code stands, with the clients' addresses as it sees them; None if it does not report that."""

    def retire(self) -> None:
        """Another server has taken its place, and its clients are reset: what it says of that concerns nobody."""

    def stop(self) -> None:
        """End it; returns when it has ended. Does nothing the second time."""


def lingers(server: RunningServer | None) -> bool:
    """Whether it ends in its own time."""
    return server is not None and server.child is not None and server.child.lingers


def end(server: RunningServer | None) -> None:
    """End it, if there is one."""
    if server is not None:
        server.stop()


@dataclass(frozen=True, slots=True)
class Start:
    """What a server is started with. ``changed`` and ``add_line`` are called from any thread.

    ``idle`` seconds are how long it lets a client stall; `math.inf` is no limit, None the usual one. ``early`` returns
    the child that already runs with these arguments, if one does.
    """

    setup: Setup
    model: str
    options: Options
    idle: float | None
    changed: Callable[[RunningServer], None]
    add_line: Callable[[LogLine], None]
    early: Callable[[Sequence[str]], Child | None] | None = None


class ServerPlan(Protocol):
    """What a lab's server is. Plans are values: equal ones start equal servers."""

    def start(self, start: Start) -> RunningServer:
        """Start it, without waiting until it listens; raises `LabError` or `OSError`."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """The topic's own server: ``netlab serve TOPIC`` in a process of its own."""

    def start(self, start: Start) -> RunningServer:
        """Start the process."""
        arguments = start.setup.server_arguments(start.model, start.options, start.idle)
        secrets = start.options.server_environment()
        server = ServerProcess(start.model, arguments, secrets, start.changed, start.add_line, start.early)
        server.settings = start.options.in_status()
        return server


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A server that netlab does not start: it may be there, or come later."""

    endpoint: Endpoint

    def start(self, start: Start) -> RunningServer:
        """Nothing is started."""
        return ElsewhereServer(self.endpoint, start.model)


@dataclass(frozen=True, slots=True)
class ElsewhereServer:
    """A server elsewhere. For the lab it always runs: whether it answers is for the wire to find out, flow by flow."""

    endpoint: Endpoint
    model: str
    child: Child | None = None
    running: bool = True
    died: bool = False
    reports: bool = False
    last_words: str = ""
    progress: ProgramProgress | None = None
    standing: Standings | None = None

    def hurry(self) -> None:
        """Nothing takes long."""

    def wait(self) -> Endpoint:
        """Where it should be; raises `LabError` if its name is not found."""
        try:
            resolve(self.endpoint)
        except OSError as error:
            problem = f"the host {safe(self.endpoint.host)} was not found: {error.strerror or error}"
            raise LabError(problem, "is the name right? :start tries again") from None
        return self.endpoint

    def reported(self, state: LabState, transport: Transport) -> LabState:
        """Its address; it reports nothing."""
        return replace(state, server_address=self.endpoint)

    def set_patience(self, seconds: float | None, *, suspended: bool) -> None:
        """Its patience is its own."""

    def watch_standing(self, on: bool) -> None:
        """Its code is not known."""

    def retire(self) -> None:
        """It says nothing."""

    def stop(self) -> None:
        """It is not the lab's to end."""
