"""One run of an experiment on a tab's lab, in its own thread. Its events wait in a bounded queue for the tab to draw.

It knows no widget. A run that is stopped restores the lab; if the app closes, the run only ends.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping

from netlab.lab.experiments.run_events import Finished, RunEvent, RunOutcome, Verdict
from netlab.lab.experiments.runner import CheckStop, LabSource, perform, sentence
from netlab.lab.experiments.swim_lanes import Board
from netlab.topics.experiment import Experiment, ExperimentLab

KEPT = 1000
"""Events that may wait to be drawn; an experiment has a few dozen."""

LEAVING = 0.6
"""Seconds that leaving waits; an experiment stops waiting within a tenth of a second."""


class _TabLabUntilLeft:
    """The tab's lab, which is not restored once the app closes."""

    def __init__(self, labs: LabSource, left: threading.Event) -> None:
        self._labs, self._left = labs, left

    def open(self, model: str | None, options: Mapping[str, object], still: CheckStop) -> ExperimentLab:
        return self._labs.open(model, options, still)

    def board(self, lab: ExperimentLab) -> Board:
        return self._labs.board(lab)

    def where_stood(self, lab: ExperimentLab) -> tuple[str, ...]:
        return self._labs.where_stood(lab)

    def close(self) -> None:
        if not self._left.is_set():
            self._labs.close()


class ExperimentRun:
    """Starts at once, but waits for the run ``after`` to end. Safe from any thread.

    ``mark`` is called with the experiment's name at the start, and with an empty name at the end.
    """

    def __init__(
        self,
        experiment: Experiment,
        labs: LabSource,
        *,
        after: ExperimentRun | None = None,
        mark: Callable[[str], None] = lambda name: None,
    ) -> None:
        self.experiment, self._mark = experiment, mark
        self._happened: deque[RunEvent] = deque(maxlen=KEPT)
        self._stop, self._left = threading.Event(), threading.Event()
        self._labs, self._after = _TabLabUntilLeft(labs, self._left), after
        self._thread = threading.Thread(target=self._perform, name=f"experiment {experiment.name}", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it is running. When it is not, the lab is restored."""
        return self._thread.is_alive()

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stop.is_set()

    def take(self) -> list[RunEvent]:
        """The events since the last call, oldest first."""
        taken = []
        while self._happened:
            taken.append(self._happened.popleft())
        return taken

    def stop(self) -> None:
        """Ask the run to stop and restore the lab; does not wait."""
        self._stop.set()

    def leave(self, patience: float = LEAVING) -> None:
        """End the run without restoring the lab; waits at most ``patience`` seconds."""
        self._left.set()
        self._stop.set()
        self._thread.join(patience)

    def _perform(self) -> None:
        if self._after is not None:
            self._after.stop()
            self._after._thread.join()
            self._after = None  # else each run would keep the one before it alive
        self._mark(self.experiment.name)
        try:
            perform(self.experiment, self._labs, self._happened.append, self._stop)
        except Exception as error:  # noqa: BLE001 - otherwise the pane would wait for a dead thread
            self._happened.append(Finished(Verdict(RunOutcome.FAILED, 0, 0, sentence(error))))
        finally:
            self._mark("")
