"""Runs as a file of JSON, and back: what was asked for, what was found, and the points of each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from netlab.dissect.text import safe
from netlab.load.plan import plan_of
from netlab.load.points import Point
from netlab.load.result import LoadResult, Percentiles
from netlab.topics.contract import Topic
from netlab.ui.load.load_request import LoadRequest
from netlab.ui.load.shown_run import ShownRun

FORMAT = "netlab load 1"
LARGEST = 64 << 20
"""Bytes of a file that is read."""

Saved = tuple[ShownRun, LoadRequest]


def as_json(topic: Topic, runs: Sequence[Saved]) -> str:
    """The runs that have ended; running ones are left out."""
    found = [_run_json(run, request, run.result) for run, request in runs if run.result is not None]
    return json.dumps({"format": FORMAT, "topic": topic.name, "runs": found}, indent=1) + "\n"


def _run_json(run: ShownRun, request: LoadRequest, result: LoadResult) -> dict[str, object]:
    values = {name: getattr(result, name) for name in LoadResult.__slots__ if name not in ("plan", "points")}
    return {
        "name": run.name,
        "remarks": run.remarks,
        "request": asdict(request),
        "plan": json.loads(run.plan.as_json()),
        "result": values,
        "points": result.points,
    }


def read(path: Path, topic: Topic) -> list[Saved]:
    """The runs of a file, of this topic. Raises `ValueError` with a sentence, or `OSError`."""
    if path.stat().st_size > LARGEST:
        raise ValueError(f"{safe(path.name)} is too large for saved loads")
    try:
        found = json.loads(path.read_bytes())
        of, known = found["topic"], found["format"] == FORMAT
        runs = [_run_of(each) for each in found["runs"]] if known and of == topic.name else []
    except (ValueError, KeyError, TypeError, AttributeError, SyntaxError, RecursionError):
        raise ValueError(f"{safe(path.name)} has no saved loads") from None
    if not known:
        raise ValueError(f"{safe(path.name)} has another format")
    if of != topic.name:
        raise ValueError(f"{safe(path.name)} has loads on {safe(str(of))[:40]}; open it in that tab")
    return runs


def _run_of(found: dict[str, dict[str, object]]) -> Saved:
    plan, values = plan_of(json.dumps(found["plan"])), dict(found["result"])
    for name in ("latency", "from_sending"):
        values[name] = Percentiles(*_list(values[name]))
    values["histogram"] = tuple((float(value), int(count)) for value, count in _list(values["histogram"]))
    points = tuple(Point(*_list(each)) for each in _list(found["points"]))
    _check(values, points)
    result = LoadResult(plan=plan, points=points, **values)  # type: ignore[arg-type]  # as `_run_json` has written them
    request = dict(found["request"])
    request["models"] = tuple(_list(request["models"]))
    remarks = tuple(safe(str(each)) for each in _list(found["remarks"]))
    run = ShownRun("", safe(_text(found["name"])), plan, points, result, remarks)
    return run, LoadRequest(**request)  # type: ignore[arg-type]  # the same


def _check(values: dict[str, object], points: Sequence[Point]) -> None:
    """Raise `TypeError` for a value that no run has: it would be drawn later."""
    for errors in (values["errors"], *(point.errors for point in points)):
        if not isinstance(errors, dict) or not all(isinstance(count, int) for count in errors.values()):
            raise TypeError
    figures = {name: value for name, value in values.items() if name not in ("errors", "histogram", "model")}
    for value in (*figures.values(), *(value for point in points for value in point)):
        for each in value if isinstance(value, Percentiles) else (value,):
            if not isinstance(each, dict | int | float | None):
                raise TypeError


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _list(value: object) -> list:  # type: ignore[type-arg]  # of what JSON has
    if not isinstance(value, list):
        raise TypeError
    return value
