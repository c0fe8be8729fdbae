"""Results as text: figures of several models in columns, latencies by steps, and a time axis."""

from __future__ import annotations

from dataclasses import replace

import pytest

from netlab.load.load_text import report_lines, time_text
from netlab.load.plan import LoadPlan, PlainBytes
from netlab.load.points import Point
from netlab.load.result import LoadResult, Percentiles

PLAN = LoadPlan(PlainBytes(b"x"), clients=2, rate=100, seconds=0.4)


def result(model: str, latency: float = 0.001, **more: object) -> LoadResult:
    """Forty requests that took so long, the last of them ten times as long."""
    points = tuple(
        Point(at, 10, 10, 10, {}, latency, latency, latency, latency, latency, 0, 0, queue=number)
        for number, at in enumerate((0.1, 0.2, 0.3, 0.4))
    )
    found = LoadResult(
        PLAN, model, 0.4, 0.39, 40, 40, 40, {}, 40, 0,
        Percentiles(latency, latency, latency * 10, latency * 10, latency * 10, latency),
        Percentiles(latency, latency, latency, latency, latency, latency),
        0, 0.0, 0.1, True, ((latency, 39), (latency * 10, 1)), points,
    )  # fmt: skip
    return replace(found, **more)  # type: ignore[arg-type]  # names of fields


def row(lines: list[str], label: str) -> list[str]:
    (found,) = [line for line in lines if line.startswith(f"{label}  ")]
    return found[len(label) :].split("  ")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"), (0.0, "0 µs"), (0.00002, "20 µs"), (0.0009994, "999 µs"), (0.001, "1.00 ms"), (0.0123, "12.3 ms"),
        (0.123, "123 ms"), (0.9996, "1.00 s"), (12.34, "12.3 s"), (4321.0, "4,321 s"),
    ],
)  # fmt: skip
def test_a_time_has_three_digits(seconds: float | None, text: str) -> None:
    assert time_text(seconds) == text


def test_models_stand_in_columns_as_far_as_the_width_takes_them() -> None:
    results = [result(f"m{number}") for number in range(7)]
    for width in (40, 80, 100, 200):
        lines = report_lines(results, width)
        assert max(map(len, lines)) <= width
        assert sum(line.split().count(f"m{number}") for line in lines for number in range(7)) == 7 * 3
    assert sum(line.startswith("p50") for line in report_lines(results, 80)) == 2  # four of them, and three


def test_figures_latencies_and_the_time_axis_have_the_same_rows_for_all_models() -> None:
    slow = result("slow", 0.1, errors={"timed out": 3}, at_least=3)
    lines = report_lines([result("fast"), slow], 80)
    labels = ("p50", "p99", "errors", "  timed out")
    figures = [[cell.strip() for cell in row(lines, label) if cell.strip()] for label in labels]
    assert figures == [["1.00 ms", "100 ms"], ["10.0 ms", "1.00 s"], ["0", "3"], ["0", "3"]]
    steps = [line for line in lines if line.startswith("≤ ")]
    assert [line.split("  ")[0].strip() for line in (steps[0], steps[-1])] == ["≤ 1.00 ms", "≤ 1.00 s"]
    assert steps[0].count("97.5%") == 1 and "█" in steps[0]
    axis = next(line for line in lines if line.startswith("accept queue, 3"))
    assert axis.split()[-2:] == ["▁▃▅█", "▁▃▅█"]


def test_what_makes_figures_doubtful_is_said() -> None:
    assert result("m", samples=4000).warnings == ()
    late = result("m", samples=4000, late=3, latest=0.02).warnings
    assert late == (
        "3 of 40 requests left late though a client was free, by up to 20.0 ms: the latencies include that",
    )
    assert "did not keep the plan" in result("m", late=5, latest=0.02).warnings[0]
    assert "was the limit" in result("m", busy=0.99).warnings[0]
    assert not result("m", late=5).kept_plan and not result("m", busy=0.99).kept_plan and result("m").kept_plan
