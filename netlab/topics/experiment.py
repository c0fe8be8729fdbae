"""What an experiment is, and what it may do to a lab.

An experiment is data plus one small function. A tab, the command line or a test hands it a `Runner`. The function
starts labs, says what it does, and states what must be seen. This module runs nothing.

How to write one: wait for what must be seen with `Runner.expect`, never for a time. Choose conditions that stay true
once they are. Compare no durations: show what waits by what it waits for (the accept queue, the order of the server's
events), not by a clock. Then a run on a busy machine is slower, and its verdict the same.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from netlab.capture.model import Direction, Endpoint, Outcome, Segment
from netlab.topics.peer_event import PeerEvent, PeerEventKind

PATIENCE = 15.0
"""Seconds that something expected may take: much more than it needs, since only what is never seen takes as long."""


class Peer(Protocol):
    """One client of the lab: its operations, called by name."""

    def call(self, name: str, /, *arguments: object, **named: object) -> object:
        """Call an operation and wait for it; what it raises is raised."""

    def begin(self, name: str, /, *arguments: object, **named: object) -> None:
        """Call an operation without waiting; `finished` and `outcome` tell the rest."""

    def wait(self) -> object:
        """Wait for all that was begun; the last `outcome`."""

    @property
    def finished(self) -> bool:
        """Whether nothing that was begun is still waiting."""

    @property
    def outcome(self) -> object:
        """What the last call returned, or the exception that it raised; None while it waits."""

    @property
    def local(self) -> Endpoint | None:
        """The client's own address; None once it is closed."""

    def notes(self) -> Sequence[str]:
        """What the client has told between its calls, such as that it asks again."""

    def half_close(self) -> None:
        """Say that no more will be sent."""

    def reset(self) -> None:
        """Break the connection off."""

    def close(self) -> None:
        """Close the connection, also while a call waits. Closing twice does nothing."""


class ExperimentLab(Protocol):
    """A lab, as an experiment sees it."""

    @property
    def model(self) -> str:
        """The server's model."""

    @property
    def address(self) -> Endpoint:
        """Where clients connect."""

    def connect(self, **options: object) -> Peer:
        """A new client; keyword arguments are the client's options. What its constructor raises is raised."""

    def begin_connect(self, **options: object) -> Peer:
        """The same without waiting: for a client whose constructor waits for the server, as a handshake does."""

    def dial(self) -> socket.socket:
        """A plain socket, connected to the lab and closed with it, for what no client would send."""

    def fault(self, *specs: str) -> None:
        """Put these faults on the wire in place of those that are there; none clears them, and what they held goes."""

    def segments(self) -> Sequence[Segment]:
        """What has crossed the wire so far."""

    def log(self) -> Sequence[str]:
        """The server's log so far."""

    def events(self) -> Sequence[PeerEvent]:
        """What the server has reported of its clients so far."""

    @property
    def queue(self) -> int:
        """How many clients wait in the server's accept queue; 0 where it cannot be known."""

    @property
    def threads(self) -> int:
        """How many threads the server has; 0 where it cannot be known."""

    @property
    def processes(self) -> int:
        """How many processes the server has; 0 where it cannot be known."""

    @property
    def server_pid(self) -> int:
        """The process id of the server, for what the system tells about it; 0 once it has ended."""


@dataclass(frozen=True, slots=True)
class SandboxResult:
    """What became of quoted code that ran in a child process with limits.

    ``output`` is what it printed, errors too. ``spun`` says that it was ended because it used up its processor time;
    ``late`` that it was ended because it only waited; ``status`` is None in both cases.
    """

    status: int | None
    output: str
    spun: bool
    late: bool = False


class Runner(Protocol):
    """What an experiment's function gets."""

    def lab(self, model: str | None = None, **options: object) -> ExperimentLab:
        """A running lab of the topic, under a model (None: its first) and with server options.

        It ends with the trial, or when another lab is asked for: a tab has one. What an ended bench has captured and
        logged can still be read. Peers' option names are for `ExperimentLab.connect`.
        """

    def step(self, text: str) -> None:
        """Say what happens next. A person who wants to stop is heard here, and while waiting."""

    def expect(
        self,
        what: str,
        seen: Callable[[], bool],
        within: float = PATIENCE,
        *,
        found: Callable[[], object] | None = None,
    ) -> bool:
        """Tick ``what`` once ``seen`` holds, or cross it after ``within`` seconds; which of them is returned.

        ``found`` says what there was instead, shown where it is crossed; an exception in ``seen`` is not seen yet.
        """

    def show(self, text: str) -> None:
        """Text to look at, such as a table."""

    def show_lanes(self, *labs: ExperimentLab) -> None:
        """The swim lanes of these benches so far, on axes of one scale; two side by side where there is room."""

    def run_in_sandbox(self, code: str, lab: ExperimentLab | None = None, *, cpu_seconds: int = 1) -> SandboxResult:
        """Run the tutorial's own code in a child process under limits; ``{host}`` and ``{port}`` are the bench's."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """A scripted observation: a question, a prediction to choose, and what must be seen.

    ``predictions[answer]`` is the true one; ``why`` explains it. ``quoted`` is the tutorial's own code where the
    experiment is about it, shown beside ``repaired`` and never run but in a child process with limits.
    """

    name: str
    question: str
    predictions: tuple[str, ...]
    answer: int
    why: str
    run: Callable[[Runner], None]
    quoted: str = ""
    repaired: str = ""


def payload(segments: Iterable[Segment], direction: Direction, client: Endpoint | None = None) -> bytes:
    """The bytes that went one way (of one client's flow), in the order in which they left the wire."""
    return b"".join(bytes(segment.data) for segment in carried(segments, direction, client))


def sent(lab: ExperimentLab) -> bytes:
    """What clients have sent to the server so far."""
    return payload(lab.segments(), Direction.TO_SERVER)


def answers(lab: ExperimentLab) -> bytes:
    """What the server has sent to clients so far."""
    return payload(lab.segments(), Direction.TO_CLIENT)


def carried(segments: Iterable[Segment], direction: Direction, client: Endpoint | None = None) -> list[Segment]:
    """The segments with data that went one way (of one client's flow); what the wire dropped is not among them."""
    return [
        segment
        for segment in segments
        if segment.carries
        and segment.direction is direction
        and client in (None, segment.flow.client)
        and segment.outcome is not Outcome.DROPPED
    ]


def before(events: Sequence[PeerEvent], first: PeerEventKind, then: PeerEventKind) -> bool:
    """Whether an event of the kind ``first`` comes before the last one of the kind ``then``."""
    kinds = [event.what for event in events]
    return first in kinds and then in kinds[kinds.index(first) :]
