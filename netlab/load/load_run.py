"""One load on one address. The generator is a process of its own; this hears it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from types import MappingProxyType

from netlab.capture.model import Endpoint
from netlab.lab.errors import LabError
from netlab.lab.processes.child import Child, Message, stop
from netlab.load.generator.process import ENVIRONMENT
from netlab.load.histogram import refuse_without
from netlab.load.keywords import as_text
from netlab.load.plan import LoadPlan
from netlab.load.points import GaugeValues, Point
from netlab.load.result import LoadResult, Percentiles

_NOTHING: Mapping[str, object] = MappingProxyType({})


class LoadRun:
    """A load. ``keywords`` are those of the topic's client, including secrets, for an operation that is calls.

    ``on_point`` gets each point, in a thread of the run's; ``gauges`` says what is known of the server then. The run
    takes place within ``around()``. What these raise ends the load, and `run` raises it. ``yield_cpu`` gives the
    generator a low priority, beside a screen.
    """

    def __init__(
        self,
        plan: LoadPlan,
        address: Endpoint,
        *,
        model: str = "",
        keywords: Mapping[str, object] = _NOTHING,
        on_point: Callable[[Point], None] = lambda point: None,
        gauges: Callable[[], GaugeValues] | None = None,
        around: Callable[[], AbstractContextManager[None]] = nullcontext,
        yield_cpu: bool = False,
    ) -> None:
        self._plan, self._address, self._model = plan, address, model
        self._keywords, self._on_point, self._gauges = keywords, on_point, gauges
        self._around = around
        self._words = ["generator", "--yield-cpu"] if yield_cpu else ["generator"]
        self._points: list[Point] = []
        self._result: Message | None = None
        self._failure: Exception | None = None
        self._over, self._cancelled = threading.Event(), threading.Event()
        self._child: Child | None = None

    def run(self) -> LoadResult:
        """Do it, and wait until it is over or `cancel` was called. Raises `LabError` if it cannot be done."""
        refuse_without()
        with self._around():
            return self._run()

    def _run(self) -> LoadResult:
        task = {
            "plan": self._plan.as_json(),
            "host": self._address.host,
            "port": self._address.port,
            "keywords": as_text(self._keywords),
        }
        child = self._child = Child(self._words, {ENVIRONMENT: json.dumps(task)})
        try:
            child.attach(self._hear, self._over.set)
            if self._cancelled.is_set():
                self.cancel()
            self._over.wait()
        finally:
            stop(child)
        if self._failure is not None:
            raise self._failure
        if self._result is None:
            words = " ".join(child.last_words[-1:])
            raise LabError(f"the generator ended: {words or 'without a word'}", "start the load again")
        return self._found(self._result)

    def cancel(self) -> None:
        """End the load early; `run` returns with the result so far. Any thread; also before `run`."""
        self._cancelled.set()
        if self._child is not None:
            self._child.request({"ask": "end"})

    def _hear(self, message: Message) -> None:
        match message:
            case {"event": "point", "point": list(values)}:
                point = Point(*values)
                try:
                    self._take(point)
                except Exception as error:  # noqa: BLE001 - the child's reader must go on, to hear that it ends
                    self._failure = self._failure or error
                    self.cancel()
            case {"event": "result"}:
                self._result = message
                self._over.set()

    def _take(self, point: Point) -> None:
        if self._gauges is not None:
            point = point._replace(**self._gauges()._asdict())
        self._points.append(point)
        self._on_point(point)

    def _found(self, found: Message) -> LoadResult:
        values: dict[str, object] = {name: value for name, value in found.items() if name != "event"}
        for name in ("latency", "from_sending"):
            values[name] = Percentiles(*found[name])  # type: ignore[misc]  # the generator's own message
        values["histogram"] = tuple(tuple(each) for each in found["histogram"])  # type: ignore[attr-defined]  # the same
        return LoadResult(plan=self._plan, model=self._model, points=tuple(self._points), **values)  # type: ignore[arg-type]  # the same
