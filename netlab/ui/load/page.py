"""All that the load pane shows, as styled rows: the table of runs, the picture, and remarks in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from textwrap import wrap

from netlab.dissect.text import safe
from netlab.ui.load.overlaid import over
from netlab.ui.load.run_table import errors_of, table
from netlab.ui.load.sheet import Row, beside
from netlab.ui.load.shown_run import ShownRun
from netlab.ui.load.time_axis import TimeAxis, TimeWindow

_NARROWEST = 30
"""The least columns of a run that stands beside others."""
_LEAST = 10
"""The least rows of the picture; where there are fewer, the pane scrolls."""
_WORST_KINDS = 3
"""Kinds of errors that are named; the others are counted."""


class LoadView(Enum):
    """Which runs are drawn, and how."""

    ONE = "one run"
    BESIDE = "beside each other"
    OVER = "laid over each other"


@dataclass(frozen=True, slots=True)
class LoadPage:
    """The rows, and the axis of the picture in them."""

    rows: tuple[Row, ...]
    axis: TimeAxis

    @property
    def text(self) -> str:
        """The rows without colour."""
        return "\n".join("".join(text for text, _ in row).rstrip() for row in self.rows)


def page(runs: Sequence[ShownRun], chosen: int, view: LoadView, window: TimeWindow, size: tuple[int, int]) -> LoadPage:
    """The page for so many columns and rows; ``runs`` has at least one, the oldest first."""
    width, height = size
    rows = [((text, "chosen" if marked else "words"),) for text, marked in table(runs, chosen, width)]
    remarks = list(_remarks(runs[chosen], width))
    room = max(height - len(rows) - len(remarks), _LEAST)
    drawn = _drawn(runs, chosen, view, width)
    sheet = (over if view is LoadView.OVER else beside)(drawn, window, width, room)
    return LoadPage((*rows, *sheet.rows, *remarks), sheet.axis)


def _drawn(runs: Sequence[ShownRun], chosen: int, view: LoadView, width: int) -> Sequence[ShownRun]:
    if view is LoadView.ONE:
        return runs[chosen : chosen + 1]
    if view is LoadView.OVER:
        return runs
    most = max(width // _NARROWEST, 1)
    end = max(chosen + 1, min(2, len(runs)))
    return runs[max(end - most, 0) : end]


def _remarks(run: ShownRun, width: int) -> Iterator[Row]:
    """Errors by kind, and what to know before one believes the figures."""
    errors = sorted(errors_of(run).items(), key=lambda each: -each[1])
    said = [f"{count:,} × {kind}" for kind, count in errors[:_WORST_KINDS]]
    if more := sum(count for _, count in errors[_WORST_KINDS:]):
        said.append(f"{more:,} of other kinds")
    if said:
        yield from _wrapped(f"✗ errors: {'; '.join(said)}", "error", width)
    for warning in run.result.warnings if run.result is not None else ():
        yield from _wrapped(f"! {warning}", "warning", width)
    for remark in run.remarks:
        yield from _wrapped(remark, "words", width)


def _wrapped(text: str, style: str, width: int) -> Iterator[Row]:
    return (((line, style),) for line in wrap(safe(text), max(width, 10), subsequent_indent="  "))
