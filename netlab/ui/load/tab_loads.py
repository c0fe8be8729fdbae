"""The loads of one tab's lab: the one that runs, in a thread of its own, and the last ones. It knows no widget."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from netlab.capture.model import Transport
from netlab.lab.errors import LabError
from netlab.lab.lab import Lab
from netlab.lab.state import Phase
from netlab.load.chosen_operation import keeps_connections
from netlab.load.histogram import refuse_without
from netlab.load.lab_load import WireCost, load_on, wire_cost
from netlab.load.load_run import LoadRun
from netlab.load.plan import LoadPlan
from netlab.load.points import Point
from netlab.load.result import LoadResult
from netlab.ui.load.bars import spell
from netlab.ui.load.load_request import LoadRequest
from netlab.ui.load.shown_run import ShownRun

MOST = 8
"""Runs that are kept; the oldest are dropped."""
LEAVING = 0.6
"""Seconds that leaving waits."""
_ENDED = {
    Phase.DEAD: "the server died during the load, which ended there",
    Phase.STOPPED: "the server was stopped during the load, which ended there",
    Phase.STOPPING: "the server was stopped during the load, which ended there",
    Phase.FAILED: "the server could not start again during the load, which ended there",
}


@dataclass
class _KeptLoad:
    """One run, while it runs and afterwards. ``points`` only grows."""

    letter: str
    name: str
    request: LoadRequest
    plan: LoadPlan
    points: list[Point] = field(default_factory=list)
    result: LoadResult | None = None
    remarks: tuple[str, ...] = ()

    def shown(self) -> ShownRun:
        points = self.result.points if self.result is not None else tuple(self.points)
        return ShownRun(self.letter, self.name, self.plan, points, self.result, self.remarks)


class TabLoads:
    """Safe from any thread. ``ended`` is called in the load's thread with what went wrong, or None.

    When a load is over, what the wire costs is measured; a load that is started meanwhile follows.
    """

    def __init__(self, lab: Lab, ended: Callable[[Exception | None], None] = lambda error: None) -> None:
        self._lab, self._ended = lab, ended
        self._lock = threading.Lock()
        self._kept: list[_KeptLoad] = []
        self._letters = 0
        self._costs: dict[tuple[str, str], WireCost | None] = {}  # of the wire, by model and operation
        self._measuring = False
        self._next: LoadRequest | None = None
        self._run: LoadRun | None = None
        self._thread: threading.Thread | None = None
        self._stop, self._left = threading.Event(), threading.Event()

    @property
    def running(self) -> bool:
        """Whether a load runs. When none does, the tab's model is restored."""
        thread = self._thread
        return thread is not None and thread.is_alive()

    @property
    def runs(self) -> tuple[ShownRun, ...]:
        """The last runs and the running one, the oldest first."""
        with self._lock:
            return tuple(kept.shown() for kept in self._kept)

    @property
    def latest(self) -> LoadRequest:
        """What was asked for last."""
        return self._kept[-1].request if self._kept else LoadRequest()

    def request_of(self, letter: str) -> LoadRequest | None:
        """What was asked for in a run; None if it is not kept."""
        return next((kept.request for kept in self._kept if kept.letter == letter), None)

    def start(self, request: LoadRequest) -> None:
        """Start a load. Raises `LabError` or `ValueError` if it cannot be done, or another one runs."""
        refuse_without()
        with self._lock:
            busy = self.running and not self._measuring
        if busy:
            raise LabError("a load runs already", "x in its pane stops it, and so does :load stop")
        state = self._lab.state
        if state.phase is not Phase.SERVING or state.down:
            raise LabError("there is no server to put a load on", ":start starts it" if not state.down else ":up")
        if request.models and self._own:
            raise LabError(f"{self._own} is one server: it has no models to compare", ":server alone goes back")
        self._plan(request, state.model)
        for model in request.models:
            self._plan(request, model)
        self._stop.clear()
        with self._lock:
            if self._measuring:  # it takes a moment
                self._next = request
                return
        self._thread = threading.Thread(
            target=self._perform, args=(request,), name=f"load on {self._lab.topic.name}", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End the load early; what it has found so far stays. Does not wait."""
        self._stop.set()
        with self._lock:
            self._next = None
        if (run := self._run) is not None:
            run.cancel()

    def leave(self, patience: float = LEAVING) -> None:
        """End the load because the lab closes; waits at most ``patience`` seconds."""
        self._left.set()
        self.stop()
        if (thread := self._thread) is not None:
            thread.join(patience)

    def forget(self, letter: str) -> None:
        """Remove a run that has ended."""
        with self._lock:
            self._kept = [kept for kept in self._kept if kept.letter != letter or kept.result is None]

    def add(self, runs: Sequence[tuple[ShownRun, LoadRequest]]) -> None:
        """Keep runs that were read from a file, under letters of their own."""
        for run, request in runs:
            self._keep(_KeptLoad(self._next_letter(), run.name, request, run.plan, [], run.result, run.remarks))

    @property
    def _own(self) -> str:
        own = self._lab.own.path
        return own.name if own is not None else ""

    def _plan(self, request: LoadRequest, model: str) -> LoadPlan:
        return request.plan(self._lab.topic, model, own=bool(self._own), newline=self._lab.options.newline)

    # In the load's thread

    def _perform(self, request: LoadRequest) -> None:
        following: LoadRequest | None = request
        while following is not None:
            self._do(following)
            with self._lock:
                following, self._next, self._measuring = self._next, None, False
                if following is None:
                    self._thread = None  # from here on another load may start

    def _do(self, request: LoadRequest) -> None:
        before, problem = self._lab.state.model, None
        models = request.models or (before,)
        try:
            for model in models:
                if self._stop.is_set():
                    break
                self._serve(model)
                self._one(request, model, last=model is models[-1])
        except Exception as error:  # noqa: BLE001 - otherwise the pane would wait for a dead thread
            problem = error
        try:
            if not self._left.is_set() and request.models:
                self._serve(before)
        except LabError as error:
            problem = problem or error
        self._run = None
        self._drop_unfinished()
        self._ended(problem)

    def _serve(self, model: str) -> None:
        if self._lab.state.model != model:
            self._lab.set_model(model)

    def _one(self, request: LoadRequest, model: str, *, last: bool) -> None:
        name = self._own or (self._lab.topic.title if self._lab.topic.attached else model)
        kept = _KeptLoad(self._next_letter(), name, replace(request, models=()), self._plan(request, model))
        kept.remarks = self._in_the_way(model)
        self._keep(kept)
        run = self._run = load_on(self._lab, kept.plan, lambda point: self._hear(kept, point))
        if self._stop.is_set():
            run.cancel()
        result = run.run()
        why = _ENDED.get(self._lab.state.phase, "") if not result.complete else ""
        with self._lock:
            kept.remarks += (f"✗ {why}",) if why and not self._stop.is_set() else ()
            kept.result = result
            self._measuring = last
        if result.complete and result.done and not self._stop.is_set():  # else it may not answer this time either
            about = self._about_wire(kept)
            with self._lock:
                kept.remarks += (about,)

    def _in_the_way(self, model: str) -> tuple[str, ...]:
        """Why the load may get no answer: somebody is being served where only one client is at a time."""
        many = keeps_connections(model) or self._lab.topic.transport is Transport.UDP
        if many or not self._lab.state.accounts.clients:
            return ()
        return (f"! a client is connected, and {model} serves one at a time: the load waits until it leaves (:close)",)

    def _about_wire(self, kept: _KeptLoad) -> str:
        """What stands between the load and the server: faults, or what the wire costs while it is idle."""
        if faults := self._lab.wire.faults:
            return f"faults act on the wire: {' · '.join(faults)}"
        key = kept.name, str(kept.plan.operation)
        if key not in self._costs:
            self._costs[key] = wire_cost(self._lab, kept.plan)
        cost = self._costs[key]
        if cost is None:
            return "what the wire costs could not be measured: a request failed"
        added = spell(cost.added) if cost.added else "less than can be measured"
        return f"idle, the wire adds {added} to the {spell(cost.straight)} that a request takes"

    def _hear(self, kept: _KeptLoad, point: Point) -> None:
        with self._lock:
            kept.points.append(point)
        if self._lab.state.phase in _ENDED and self._run is not None:
            self._run.cancel()

    def _next_letter(self) -> str:
        self._letters += 1
        return chr(ord("A") + (self._letters - 1) % 26)

    def _keep(self, kept: _KeptLoad) -> None:
        with self._lock:
            self._kept = [*self._kept, kept][-MOST:]

    def _drop_unfinished(self) -> None:
        """A run without a result could not be done."""
        with self._lock:
            self._kept = [kept for kept in self._kept if kept.result is not None]
