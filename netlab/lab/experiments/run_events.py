"""The events of an experiment's run, as they happen. Frozen values, safe to pass between threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from netlab.lab.experiments.swim_lanes import Board


class RunOutcome(Enum):
    """How a run ended. The value is its name on the screen and in JSON."""

    SEEN = "seen"
    """Everything expected was seen."""
    NOT_SEEN = "not seen"
    STOPPED = "stopped"
    FAILED = "failed"
    """The run broke off; `Verdict.problem` says why."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a run: how many checks were ticked and crossed, and in one sentence why it failed."""

    outcome: RunOutcome
    seen: int
    crossed: int
    problem: str = ""

    @property
    def words(self) -> str:
        """The verdict in one line."""
        total = self.seen + self.crossed
        if self.problem:
            return f"{self.outcome.value}: {self.problem}"
        if self.outcome is RunOutcome.SEEN:
            return f"All {total} checks passed" if total > 1 else "The check passed"
        if self.outcome is RunOutcome.NOT_SEEN:
            return f"{self.crossed} of {total} checks failed"
        return f"{self.outcome.value} after {total} {'check' if total == 1 else 'checks'}"


@dataclass(frozen=True, slots=True)
class LabOpened:
    """A lab has started: its model, and in words the options that differ from the defaults."""

    model: str
    options: str = ""


@dataclass(frozen=True, slots=True)
class Stepped:
    """The experiment announces its next step. Steps are numbered from 1."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Awaited:
    """The experiment waits for something; `Expected` with the same number says whether it was seen."""

    number: int
    what: str


@dataclass(frozen=True, slots=True)
class Expected:
    """Something expected was seen, or not; ``found`` says what there was instead. Numbered from 1."""

    number: int
    what: str
    seen: bool
    found: str = ""


@dataclass(frozen=True, slots=True)
class Stood:
    """Where a person's own server stood when something was not seen, in lines."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """Text to show, of one or more lines."""

    text: str


@dataclass(frozen=True, slots=True)
class LanesShown:
    """Swim lanes to show, one board for each lab."""

    boards: tuple[Board, ...]


@dataclass(frozen=True, slots=True)
class Ran:
    """The tutorial's code has ended; ``text`` says how."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The run is over, and nothing of it is still running."""

    verdict: Verdict


RunEvent = LabOpened | Stepped | Awaited | Expected | Stood | Shown | LanesShown | Ran | Finished
OnEvent = Callable[[RunEvent], None]
