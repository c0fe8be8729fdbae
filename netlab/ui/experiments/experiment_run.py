"""One run of an experiment on a tab's lab, in a thread of its own. What happens waits, bounded, for the tab to draw it.

It knows no widget. A run that is stopped puts the lab back; one that is left, because the app closes, only ends.
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
"""Happenings that wait to be drawn; an experiment tells a few dozen."""

LEAVING = 0.6
"""Seconds that leaving waits: what an experiment waits for, it stops waiting for within a tenth of a second."""


class _TabLabUntilLeft:
    """The tab's lab, that nobody puts back any more once the app closes."""

    def __init__(self, labs: LabSource, left: threading.Event) -> None:
        self._labs, self._left = labs, left

    def open(self, model: str | None, options: Mapping[str, object], still: CheckStop) -> ExperimentLab:
        return self._labs.open(model, options, still)

    def board(self, lab: ExperimentLab) -> Board:
        return self._labs.board(lab)

    def close(self) -> None:
        if not self._left.is_set():
            self._labs.close()


class ExperimentRun:
    """Begins at once; ``after`` is a run that has to be over first. Safe from any thread.

    ``mark`` is called with its name when it begins, and with none when it has ended.
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
        """Whether it is under way; the lab is put back when it is not."""
        return self._thread.is_alive()

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stop.is_set()

    def take(self) -> list[RunEvent]:
        """What has happened since the last time, oldest first."""
        taken = []
        while self._happened:
            taken.append(self._happened.popleft())
        return taken

    def stop(self) -> None:
        """Ask it to stop and to put the lab back; does not wait."""
        self._stop.set()

    def leave(self, patience: float = LEAVING) -> None:
        """Have it end what it started, and nothing else; waits at most ``patience`` seconds."""
        self._left.set()
        self._stop.set()
        self._thread.join(patience)

    def _perform(self) -> None:
        if self._after is not None:
            self._after.stop()
            self._after._thread.join()
            self._after = None  # or every run would be kept by the one after it
        self._mark(self.experiment.name)
        try:
            perform(self.experiment, self._labs, self._happened.append, self._stop)
        except Exception as error:  # noqa: BLE001 - a thread that dies would be seen as one that runs for ever
            self._happened.append(Finished(Verdict(RunOutcome.FAILED, 0, 0, sentence(error))))
        finally:
            self._mark("")
