"""What an experiment is, and what it may do to a lab.

An experiment is data plus one small function. Whoever runs it (a tab, the command line, a test) hands it a `Trial`; the
function starts labs, says what it does, and states what must be seen. This module runs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from netlab.capture.model import Endpoint, Segment


class Peer(Protocol):
    """One client of the lab: its operations, called by name."""

    def call(self, name: str, *arguments: object, **named: object) -> object:
        """Call an operation and wait for it; what it raises is raised."""

    def begin(self, name: str, *arguments: object, **named: object) -> None:
        """Call an operation without waiting; `finished` and `outcome` tell the rest."""

    @property
    def finished(self) -> bool:
        """Whether nothing that was begun is still waiting."""

    @property
    def outcome(self) -> object:
        """What the last call returned, or the exception that it raised."""

    @property
    def local(self) -> Endpoint | None:
        """The client's own address."""

    def half_close(self) -> None:
        """Say that no more will be sent."""

    def reset(self) -> None:
        """Break the connection off."""

    def close(self) -> None:
        """Close the connection."""


class Bench(Protocol):
    """A lab, as an experiment sees it."""

    @property
    def address(self) -> Endpoint:
        """Where clients connect."""

    def connect(self, **options: object) -> Peer:
        """A new client; keyword arguments are the client's options. What its constructor raises is raised."""

    def fault(self, *specs: str) -> None:
        """Put these faults on the wire in place of those that are there; none clears them."""

    def segments(self) -> Sequence[Segment]:
        """What has crossed the wire so far."""

    def log(self) -> Sequence[str]:
        """What the server has said so far."""

    @property
    def queue(self) -> int:
        """How many clients wait in the server's accept queue."""

    @property
    def threads(self) -> int:
        """How many threads the server has."""

    @property
    def processes(self) -> int:
        """How many processes the server has."""


@dataclass(frozen=True, slots=True)
class Run:
    """What became of quoted code that ran in a child process with limits.

    ``spun`` says that it was ended because it used up its processor time; ``status`` is None then.
    """

    status: int | None
    output: str
    spun: bool


class Trial(Protocol):
    """What an experiment's function gets."""

    def lab(self, model: str | None = None, **options: object) -> Bench:
        """A running lab of the topic, under a model and with server options; ended with the trial."""

    def step(self, text: str) -> None:
        """Say what happens next. A person who wants to stop is heard here."""

    def expect(self, what: str, seen: Callable[[], bool], within: float = 5.0) -> None:
        """Tick ``what`` once ``seen`` holds, or cross it after ``within`` seconds."""

    def show(self, text: str) -> None:
        """Text to look at, such as a table or a picture."""

    def run_quoted(self, code: str, bench: Bench | None = None, *, cpu_seconds: int = 2) -> Run:
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
    run: Callable[[Trial], None]
    quoted: str = ""
    repaired: str = ""
