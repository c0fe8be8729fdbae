"""Runs an experiment: reports its steps, checks what must be seen, and cleans up.

It knows no lab. Labs come from a `LabSource`: a tab gives its own, a test a scripted one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from netlab.dissect.text import safe
from netlab.lab.errors import LabError
from netlab.lab.experiments.run_events import (
    Awaited,
    Expected,
    Finished,
    LabOpened,
    LanesShown,
    OnEvent,
    Ran,
    RunEvent,
    RunOutcome,
    Shown,
    Stepped,
    Stood,
    Verdict,
)
from netlab.lab.experiments.sandbox import Limits, SandboxedCode
from netlab.lab.experiments.swim_lanes import Board
from netlab.topics.experiment import PATIENCE, Experiment, ExperimentLab, SandboxResult

_LOOK_EVERY = 0.01
_SENTENCE = 300


class RunStopped(BaseException):
    """The run was asked to stop. Not an `Exception`, so that no experiment catches it."""


CheckStop = Callable[[], None]
"""Called while waiting. Raises `RunStopped` if the run was asked to stop."""


class LabSource(Protocol):
    """Gives a run its labs."""

    def open(self, model: str | None, options: Mapping[str, object], check_stop: CheckStop) -> ExperimentLab:
        """Start a lab and end the previous one. Raises `LabError`."""

    def board(self, lab: ExperimentLab) -> Board:
        """The lanes of a lab of this run."""

    def where_stood(self, lab: ExperimentLab) -> tuple[str, ...]:
        """At which lines a person's own server stands in that lab now; empty if that is not known."""

    def close(self) -> None:
        """End the lab."""


def perform(experiment: Experiment, source: LabSource, report: OnEvent, stop: threading.Event | None = None) -> Verdict:
    """Run an experiment in this thread and return its verdict, which is also its last event.

    ``stop`` is checked at each step and while waiting. An error in the experiment, or a lab that does not start, gives
    a verdict, too. However the run ends, even by `KeyboardInterrupt`, nothing of it is left running.
    """
    runner = ExperimentRunner(source, report, stop or threading.Event())
    problem, outcome = "", None
    try:
        try:
            experiment.run(runner)
        except Exception:
            runner.say_where()
            raise
        finally:
            source.close()
    except RunStopped:
        outcome = RunOutcome.STOPPED
    except Exception as error:  # noqa: BLE001 - an experiment may raise anything; it becomes the verdict
        outcome, problem = RunOutcome.FAILED, sentence(error)
    verdict = runner.verdict(outcome, problem)
    report(Finished(verdict))
    return verdict


class ExperimentRunner:
    """One run of an experiment: the `Runner` that its function gets."""

    def __init__(self, source: LabSource, report: OnEvent, stop: threading.Event) -> None:
        self._source, self._report, self._stop = source, report, stop
        self._steps = self._seen = self._crossed = 0
        self._lab: ExperimentLab | None = None
        self._stood: tuple[str, ...] = ()

    def lab(self, model: str | None = None, **options: object) -> ExperimentLab:
        """Start a lab of the topic and end the previous one."""
        self._check_stop()
        self._lab = None
        lab = self._lab = self._source.open(model, options, self._check_stop)
        self._say(LabOpened(lab.model, ", ".join(_option(name, value) for name, value in options.items())))
        return lab

    def step(self, text: str) -> None:
        """Announce the next step."""
        self._check_stop()
        self._steps += 1
        self._say(Stepped(self._steps, text))

    def expect(
        self,
        what: str,
        seen: Callable[[], bool],
        within: float = PATIENCE,
        *,
        found: Callable[[], object] | None = None,
    ) -> bool:
        """Wait for something; tick or cross it."""
        number = self._seen + self._crossed + 1
        self._say(Awaited(number, what))
        happened, trouble = self._look(seen, within)
        self._seen += happened
        self._crossed += not happened
        instead = "" if happened else self._instead(found, trouble, within)
        self._say(Expected(number, what, happened, instead))
        if not happened:
            self.say_where()
        return happened

    def say_where(self) -> None:
        """Say where the server stands, if it is a person's own and has not been said."""
        stood = self._source.where_stood(self._lab) if self._lab is not None else ()
        if stood and stood != self._stood:
            self._stood = stood
            self._say(Stood(stood))

    def show(self, text: str) -> None:
        """Show text."""
        self._say(Shown(safe(text, keep="\n")))

    def show_lanes(self, *labs: ExperimentLab) -> None:
        """Show swim lanes."""
        self._say(LanesShown(tuple(self._source.board(lab) for lab in labs)))

    def run_in_sandbox(self, code: str, lab: ExperimentLab | None = None, *, cpu_seconds: int = 1) -> SandboxResult:
        """Run the tutorial's code in a child process with limits."""
        self._check_stop()
        # A busy machine may give it a tenth of a processor. It must reach the limit that shows what it did.
        limits = Limits(cpu_seconds=cpu_seconds, wall_seconds=10.0 + 20.0 * cpu_seconds)
        run = SandboxedCode(code, lab.address if lab is not None else None, limits).wait(self._check_stop)
        self._say(Ran(_what_became(run, limits)))
        return run

    def verdict(self, outcome: RunOutcome | None, problem: str) -> Verdict:
        """The verdict; without a given outcome, what was seen decides."""
        if outcome is None and not self._seen + self._crossed:
            outcome, problem = RunOutcome.FAILED, "the experiment checked nothing"
        if outcome is None:
            outcome = RunOutcome.NOT_SEEN if self._crossed else RunOutcome.SEEN
        return Verdict(outcome, self._seen, self._crossed, problem)

    def _check_stop(self) -> None:
        if self._stop.is_set():
            raise RunStopped

    def _say(self, event: RunEvent) -> None:
        self._report(event)

    def _look(self, seen: Callable[[], bool], within: float) -> tuple[bool, Exception | None]:
        """Whether it was seen in time, and what the last check raised. Checks at least once."""
        deadline = time.monotonic() + within
        while True:
            trouble: Exception | None = None
            try:
                if seen():
                    return True, None
            except Exception as error:  # noqa: BLE001 - what does not exist yet cannot be examined
                trouble = error
            self._check_stop()
            if time.monotonic() >= deadline:
                return False, trouble
            self._stop.wait(_LOOK_EVERY)

    def _instead(self, found: Callable[[], object] | None, trouble: Exception | None, within: float) -> str:
        if found is None:
            return sentence(trouble) if trouble is not None else f"not within {within:g} s"
        try:
            return safe(str(found()))[:_SENTENCE]
        except Exception as error:  # noqa: BLE001 - as above
            return sentence(error)


def sentence(error: BaseException) -> str:
    """An error in one line."""
    text = str(error) if isinstance(error, LabError) else f"{type(error).__name__}: {error}".removesuffix(": ")
    return safe(" ".join(text.split()))[:_SENTENCE]


def _option(name: str, value: object) -> str:
    """An option in words: ``present expired``. For bytes, which may be secrets, only the name."""
    words = name.replace("_", " ")
    if isinstance(value, bool):
        return f"{words} {'yes' if value else 'no'}"
    return f"{words} {safe(str(value))[:_SENTENCE]}" if isinstance(value, str | int) else words


def _what_became(run: SandboxResult, limits: Limits) -> str:
    if run.spun:
        return f"the child used up its {limits.cpu_seconds} s of processor time and was ended"
    if run.late:
        return f"the child waited for {limits.wall_seconds:g} s and was ended"
    return f"the child ended with exit status {run.status}"
