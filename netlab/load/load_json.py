"""A load's result as one JSON object. Times are seconds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

from netlab.load.lab_load import WireCost
from netlab.load.result import LoadResult, Percentiles


def as_json(result: LoadResult, cost: WireCost | None = None) -> str:
    """The result on one line: its plan, its figures, and its points."""
    plan = json.loads(result.plan.as_json())
    found: Mapping[str, object] = {
        "model": result.model,
        "operation": str(result.plan.operation),
        **{name: value for name, value in plan.items() if name != "operation"},
        "ran": result.seconds,
        "complete": result.complete,
        "planned": None if result.plan.closed else result.planned,
        "sent": result.sent,
        "answered": result.done,
        "throughput": result.throughput,
        "errors": result.errors,
        "samples": result.samples,
        "without_answer": result.at_least,
        "latency": _percentiles(result.latency),
        "from_sending": _percentiles(result.from_sending),
        "kept_plan": result.kept_plan,
        "left_late": result.late,
        "latest": result.latest,
        "generator_busy": result.busy,
        "warnings": result.warnings,
        "wire": None if cost is None else asdict(cost),
        "histogram": result.histogram,
        "points": [point._asdict() for point in result.points],
    }
    return json.dumps(found)


def _percentiles(latency: Percentiles) -> Mapping[str, float | None]:
    return {
        "p50": latency.p50,
        "p90": latency.p90,
        "p99": latency.p99,
        "p99.9": latency.p999,
        "max": latency.maximum,
        "mean": latency.mean,
    }
