"""A lab for the screen: the lab, its changes since the last look, and a thread that runs requests in order.

Nothing here is a widget: a lab outlives the tab that shows it, and starts before Textual is imported.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING

from netlab.lab.attached import Attached
from netlab.lab.lab import Lab
from netlab.lab.processes.early import EarlyChildren
from netlab.lab.processes.lab_settings import LabSettings
from netlab.lab.processes.setup import TAB_IDLE
from netlab.lab.state import (
    CaptureRestarted,
    Event,
    LogGrew,
    SessionsChanged,
    StateChanged,
    TranscriptGrew,
)
from netlab.topics.contract import Topic
from netlab.topics.experiment import Experiment

if TYPE_CHECKING:
    from netlab.lab.experiments.labs import TabLab
    from netlab.ui.experiments.experiment_run import ExperimentRun
    from netlab.ui.load.tab_loads import TabLoads

TURNS = 100
"""How many changes of the model, and runs of experiments, are remembered."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed since the last look, merged."""

    state: bool = False
    log: bool = False
    sessions: bool = False
    transcripts: frozenset[int] = frozenset()
    capture_replaced: bool = False


class LabChanges:
    """Takes a lab's events from any thread and keeps only their kinds: readers of log, transcripts and capture remember
    how far they have read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kinds: set[type[Event]] = set()
        self._transcripts: set[int] = set()
        self.turns: deque[tuple[int, str]] = deque(maxlen=TURNS)
        """(start in nanoseconds since the epoch, model) of each model that has served, newest last."""
        self.runs: deque[tuple[int, str]] = deque(maxlen=TURNS)
        """(start, experiment) of each run, and (end, "") when it ended; newest last."""

    def note(self, event: Event) -> None:
        """Record an event. Called by the lab's threads."""
        with self._lock:
            self._kinds.add(type(event))
            if isinstance(event, TranscriptGrew):
                self._transcripts.add(event.session)
            elif isinstance(event, StateChanged) and (not self.turns or self.turns[-1][1] != event.state.model):
                self.turns.append((time.time_ns(), event.state.model))

    def ran(self, experiment: str) -> None:
        """Record that an experiment starts, or, with an empty name, that it has ended."""
        self.runs.append((time.time_ns(), experiment))

    def take(self) -> Changes | None:
        """The changes since the last call, or None."""
        if not self._kinds:
            return None
        with self._lock:
            kinds, self._kinds = self._kinds, set()
            transcripts, self._transcripts = frozenset(self._transcripts), set()
        return Changes(
            state=StateChanged in kinds,
            log=LogGrew in kinds,
            sessions=SessionsChanged in kinds,
            transcripts=transcripts,
            capture_replaced=CaptureRestarted in kinds,
        )


Answer = Callable[["str | None", "Exception | None"], None]
"""Called in the requests' thread with a request's result, or with the exception that it raised."""


def no_answer(text: str | None, error: Exception | None) -> None:
    """For requests whose outcome shows in the lab's state."""


class LiveLab:
    """One topic's lab, made when it is first needed.

    ``start`` begins to serve in the background. Requests run one after another in a daemon thread, so that a request
    that never returns cannot keep the app from ending.
    """

    def __init__(
        self,
        topic: Topic,
        settings: LabSettings | None = None,
        early: EarlyChildren | None = None,
        attached: Attached | None = None,
    ) -> None:
        """``attached`` is the server of an attachment, for a topic that is one."""
        self.topic = topic
        self.changes = LabChanges()
        self._attached = attached
        self._own = settings.own if settings is not None else None
        asked = attached.settings if attached is not None else settings or LabSettings()
        self.lab = Lab(
            topic,
            model=asked.model,
            host=asked.host,
            port=asked.port_of(topic),
            options=asked.options,
            notify=self.changes.note,
            server_timeout=TAB_IDLE,  # `:idle` changes it
            yield_cpu=True,
            certificates=asked.certificates,
            early=early,
            faults=asked.faults,
            keylog=asked.keylog,
            keep=asked.keep.value,
            server=attached.server if attached is not None else None,
        )
        self._requests: SimpleQueue[tuple[Callable[[], str | None], Answer] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name=f"requests of {topic.name}", daemon=True)
        self._thread.start()
        self.run: ExperimentRun | None = None
        self._observed: TabLab | None = None
        self.loads: TabLoads | None = None
        """The loads, once there was one."""

    @property
    def running(self) -> bool:
        """Whether an experiment is running on the lab."""
        return self.run is not None and self.run.running

    @property
    def loading(self) -> bool:
        """Whether a load runs on the lab."""
        return self.loads is not None and self.loads.running

    def perform(self, experiment: Experiment) -> ExperimentRun:
        """Run an experiment on this lab in its own thread, after the one before."""
        from netlab.lab.experiments.labs import TabLab  # late: only experiments need it
        from netlab.load.experiment_load import experiment_load
        from netlab.ui.experiments.experiment_run import ExperimentRun

        self._observed = self._observed or TabLab(self.lab, experiment_load)
        self.run = ExperimentRun(experiment, self._observed, after=self.run, mark=self.changes.ran)
        return self.run

    def ask(self, request: Callable[[], str | None], answer: Answer = no_answer) -> None:
        """Run ``request`` after earlier ones, then ``answer``; both in the requests' thread."""
        self._requests.put((request, answer))

    def start(self, answer: Answer = no_answer) -> None:
        """Start server and wire; the lab's state shows whether that fails."""
        attached, self._attached = self._attached, None
        own, self._own = self._own, None
        if own is not None:
            self.ask(partial(self.lab.own.use, own), answer)
        else:
            self.ask(self.lab.start if attached is None else partial(attached.start, self.lab), answer)

    def close(self) -> None:
        """End everything of this lab. Blocks until it has ended; closing twice does nothing."""
        self._requests.put(None)
        if self.run is not None:
            self.run.leave()
        if self.loads is not None:
            self.loads.leave()
        self.lab.close()

    def _serve(self) -> None:
        while (item := self._requests.get()) is not None:
            request, answer = item
            try:
                text = request()
            except Exception as error:  # noqa: BLE001 - any error of a request belongs on the screen
                answer(None, error)
            else:
                answer(text, None)


def close_all(labs: Iterable[LiveLab], patience: float = 4.0) -> None:
    """Close the labs in parallel; wait at most ``patience`` seconds for each."""
    threads = [threading.Thread(target=lab.close, daemon=True) for lab in labs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(patience)
