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
"""Seconds to wait for something expected: far more than it needs, since only a failure takes that long."""


class Peer(Protocol):
    """One client of the lab: its operations, called by name."""

    def call(self, name: str, /, *arguments: object, **named: object) -> object:
        """Call an operation, wait, and return its result or raise its exception."""

    def begin(self, name: str, /, *arguments: object, **named: object) -> None:
        """Call an operation without waiting; see `finished` and `outcome`."""

    def wait(self) -> object:
        """Wait for all calls that were begun, and return the last `outcome`."""

    @property
    def finished(self) -> bool:
        """Whether all calls that were begun have ended."""

    @property
    def outcome(self) -> object:
        """What the last call returned, or its exception; None while it waits."""

    @property
    def local(self) -> Endpoint | None:
        """The client's own address; None once it is closed."""

    def notes(self) -> Sequence[str]:
        """What the client has reported between its calls, such as a retry."""

    def half_close(self) -> None:
        """Send FIN and go on reading."""

    def reset(self) -> None:
        """Reset the connection."""

    def close(self) -> None:
        """Close the connection, even while a call waits. A second call does nothing."""


@dataclass(frozen=True, slots=True)
class Load:
    """A load that an experiment wants: the topic's sample request, again and again, through the wire.

    ``rate`` requests a second are planned for so many ``seconds``, and wait while all ``clients`` are busy. A
    ``closed`` loop has no plan: each client sends again when it has its answer. Connections are ``kept``, or each
    request has its own.
    """

    clients: int
    seconds: float
    rate: float = 0.0
    closed: bool = False
    kept: bool = True


class LoadPoint(Protocol):
    """A tenth of a second of a load: how many requests left in it, and how many were planned and waited at its end.

    ``queue``, ``threads`` and ``processes`` are the server's; None if unknown.
    """

    @property
    def sent(self) -> int: ...  # noqa: D102 - see the class
    @property
    def waiting(self) -> int: ...  # noqa: D102
    @property
    def queue(self) -> int | None: ...  # noqa: D102
    @property
    def threads(self) -> int | None: ...  # noqa: D102
    @property
    def processes(self) -> int | None: ...  # noqa: D102


class Latencies(Protocol):
    """Latencies in seconds; None if nothing was answered."""

    @property
    def p50(self) -> float | None: ...  # noqa: D102
    @property
    def p99(self) -> float | None: ...  # noqa: D102
    @property
    def maximum(self) -> float | None: ...  # noqa: D102
    @property
    def mean(self) -> float | None: ...  # noqa: D102


class LoadFound(Protocol):
    """What a load has found: latencies from the planned times, and the same from when each request left.

    ``histogram`` has latencies from the planned times, in seconds, and how many requests had each.
    """

    @property
    def done(self) -> int: ...  # noqa: D102
    @property
    def samples(self) -> int: ...  # noqa: D102
    @property
    def latency(self) -> Latencies: ...  # noqa: D102
    @property
    def from_sending(self) -> Latencies: ...  # noqa: D102
    @property
    def histogram(self) -> Iterable[tuple[float, int]]: ...  # noqa: D102


class RunningLoad(Protocol):
    """A load on the lab, as it goes on."""

    @property
    def points(self) -> Sequence[LoadPoint]:
        """The tenths of a second so far."""

    def wait(self) -> LoadFound:
        """Wait for its end."""

    def end(self) -> LoadFound:
        """End it now; what it has found so far."""


class ExperimentLab(Protocol):
    """A lab, as an experiment sees it."""

    @property
    def model(self) -> str:
        """The server's model."""

    @property
    def address(self) -> Endpoint:
        """Where clients connect."""

    def connect(self, **options: object) -> Peer:
        """Make a client and connect it. Keyword arguments are the client's options; its exceptions are raised."""

    def begin_connect(self, **options: object) -> Peer:
        """The same without waiting, for a client whose constructor waits for the server, as in a handshake."""

    def dial(self) -> socket.socket:
        """A plain socket, connected to the lab and closed with it, to send what no client would."""

    def fault(self, *specs: str) -> None:
        """Replace the wire's faults by these; without arguments, remove them. Bytes that they hold leave."""

    def load(self, load: Load) -> RunningLoad:
        """Begin a load. Raises an exception with a sentence where no load can be measured."""

    def segments(self) -> Sequence[Segment]:
        """What has crossed the wire so far, without loads."""

    def log(self) -> Sequence[str]:
        """The server's log so far."""

    def events(self) -> Sequence[PeerEvent]:
        """What the server has reported of its clients so far."""

    @property
    def queue(self) -> int:
        """The number of clients in the server's accept queue; 0 if unknown."""

    @property
    def threads(self) -> int:
        """The server's number of threads; 0 if unknown."""

    @property
    def processes(self) -> int:
        """The server's number of processes; 0 if unknown."""

    @property
    def server_pid(self) -> int:
        """The server's process id, to ask the system about it; 0 once it has ended."""


@dataclass(frozen=True, slots=True)
class SandboxResult:
    """The outcome of code that ran in a child process with limits.

    ``output`` is what it printed, including errors. ``spun``: it was ended because it used up its processor time.
    ``late``: it was ended because it only waited. In both cases ``status`` is None.
    """

    status: int | None
    output: str
    spun: bool
    late: bool = False


class Runner(Protocol):
    """What an experiment's function gets."""

    def lab(self, model: str | None = None, **options: object) -> ExperimentLab:
        """Start a lab of the topic with a model (None: the first) and server options.

        It ends with the run, or when another lab is asked for, since a tab has only one. The capture and the log of a
        lab that has ended can still be read. Options of clients are given to `ExperimentLab.connect`.
        """

    def step(self, text: str) -> None:
        """Announce the next step. A run can be stopped here and while it waits."""

    def expect(
        self,
        what: str,
        seen: Callable[[], bool],
        within: float = PATIENCE,
        *,
        found: Callable[[], object] | None = None,
    ) -> bool:
        """Wait until ``seen`` is true: ``what`` is then ticked. After ``within`` seconds it is crossed. Returns which.

        If it is crossed, ``found`` says what there was instead. An exception in ``seen`` counts as not seen yet.
        """

    def show(self, text: str) -> None:
        """Show text, such as a table."""

    def show_lanes(self, *labs: ExperimentLab) -> None:
        """Show the swim lanes of these labs so far, on axes of one scale; two side by side if there is room."""

    def run_in_sandbox(self, code: str, lab: ExperimentLab | None = None, *, cpu_seconds: int = 1) -> SandboxResult:
        """Run the tutorial's code in a child process with limits; ``{host}`` and ``{port}`` are the lab's."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """A scripted observation: a question, a prediction to choose, and what must be seen.

    ``predictions[answer]`` is the right one; ``why`` explains it. ``quoted`` is the tutorial's own code, if the
    experiment is about it. It is shown beside ``repaired`` and runs only in a child process with limits.
    ``changes_model`` says that it needs certain models; the others run against a person's own server as well.
    """

    name: str
    question: str
    predictions: tuple[str, ...]
    answer: int
    why: str
    run: Callable[[Runner], None]
    quoted: str = ""
    repaired: str = ""
    changes_model: bool = False


def payload(segments: Iterable[Segment], direction: Direction, client: Endpoint | None = None) -> bytes:
    """The bytes that went one way (in one client's flow), in the order in which they left the wire."""
    return b"".join(bytes(segment.data) for segment in carried(segments, direction, client))


def sent(lab: ExperimentLab) -> bytes:
    """What clients have sent to the server so far."""
    return payload(lab.segments(), Direction.TO_SERVER)


def answers(lab: ExperimentLab) -> bytes:
    """What the server has sent to clients so far."""
    return payload(lab.segments(), Direction.TO_CLIENT)


def carried(segments: Iterable[Segment], direction: Direction, client: Endpoint | None = None) -> list[Segment]:
    """The segments with data that went one way (in one client's flow), without those that the wire dropped."""
    return [
        segment
        for segment in segments
        if segment.carries
        and segment.direction is direction
        and client in (None, segment.flow.client)
        and segment.outcome is not Outcome.DROPPED
    ]


def closed_before_accepted(events: Sequence[PeerEvent]) -> bool:
    """Whether the server closed a client before it accepted the last one."""
    kinds = [event.what for event in events]
    closed = PeerEventKind.CLOSED
    return closed in kinds and PeerEventKind.ACCEPTED in kinds[kinds.index(closed) :]
