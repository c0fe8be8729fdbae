"""A lab that does what a test says, for experiments without processes; and what a run reported."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from netlab.capture.model import Endpoint, Segment
from netlab.lab.experiments.run_events import RunEvent
from netlab.lab.experiments.swim_lanes import Board
from netlab.topics.experiment import Experiment, ExperimentLab, Peer, Runner
from netlab.topics.peer_event import PeerEvent

NOWHERE = Endpoint("127.0.0.1", 9)


@dataclass
class ScriptedLab:
    model: str = "single"
    address: Endpoint = NOWHERE
    queue: int = 0
    threads: int = 1
    processes: int = 1
    faults: tuple[str, ...] = ()

    def connect(self, **options: object) -> Peer:
        raise ConnectionRefusedError(111, "Connection refused")

    def begin_connect(self, **options: object) -> Peer:
        raise ConnectionRefusedError(111, "Connection refused")

    def dial(self) -> socket.socket:
        raise ConnectionRefusedError(111, "Connection refused")

    def fault(self, *specs: str) -> None:
        self.faults = specs

    def segments(self) -> Sequence[Segment]:
        return ()

    def log(self) -> Sequence[str]:
        return ()

    def events(self) -> Sequence[PeerEvent]:
        return ()


@dataclass
class ScriptedLabs:
    closed: int = 0
    opened: list[str] = field(default_factory=list)
    trouble: Exception | None = None
    stood: tuple[str, ...] = ()

    def open(self, model: str | None, options: Mapping[str, object], still: Callable[[], None]) -> ExperimentLab:
        if self.trouble is not None:
            raise self.trouble
        self.opened.append(model or "single")
        return ScriptedLab(model or "single")

    def board(self, lab: ExperimentLab) -> Board:
        return Board(lab.model, (), 0)

    def where_stood(self, lab: ExperimentLab) -> tuple[str, ...]:
        return self.stood

    def close(self) -> None:
        self.closed += 1


@dataclass
class Reported:
    """Collects what happens; ``react`` is called with each, as somebody who looks on would."""

    happened: list[RunEvent] = field(default_factory=list)
    react: Callable[[RunEvent], None] = lambda event: None

    def __call__(self, event: RunEvent) -> None:
        self.happened.append(event)
        self.react(event)


def experiment(run: Callable[[Runner], None]) -> Experiment:
    return Experiment("scripted", "What happens?", ("this", "that"), 0, "Because. So it is.", run)
