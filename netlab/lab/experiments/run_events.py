"""What a run of an experiment tells, as it happens. Frozen values, safe to hand from thread to thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from netlab.lab.experiments.swim_lanes import Board


class RunOutcome(Enum):
    """How a run ended. The value is a word for it."""

    SEEN = "seen"
    """All that must be seen was seen."""
    NOT_SEEN = "not seen"
    STOPPED = "stopped"
    FAILED = "failed"
    """It could not be run to its end; `Verdict.problem` says why."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a run: how many expectations were ticked and crossed, and in a sentence why it failed."""

    outcome: RunOutcome
    seen: int
    crossed: int
    problem: str = ""


@dataclass(frozen=True, slots=True)
class LabOpened:
    """A lab is there: its model, and the options that are not usual, in words."""

    model: str
    options: str = ""


@dataclass(frozen=True, slots=True)
class Stepped:
    """The experiment says what happens next. Steps are counted from 1."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Awaited:
    """Something must be seen now; `Expected` with the same number says whether it was."""

    number: int
    what: str


@dataclass(frozen=True, slots=True)
class Expected:
    """Something that must be seen was seen, or not; ``found`` says what there was instead. Counted from 1."""

    number: int
    what: str
    seen: bool
    found: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """Text to look at; several lines."""

    text: str


@dataclass(frozen=True, slots=True)
class LanesShown:
    """Swim lanes to look at, one board a lab."""

    boards: tuple[Board, ...]


@dataclass(frozen=True, slots=True)
class Ran:
    """Quoted code has ended, in words."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The run is over; nothing of it is left running."""

    verdict: Verdict


RunEvent = LabOpened | Stepped | Awaited | Expected | Shown | LanesShown | Ran | Finished
OnEvent = Callable[[RunEvent], None]
