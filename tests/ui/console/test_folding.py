"""A long result is shown in three rows, until it is unfolded."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from netlab.lab.state import Entry, EntryKind
from netlab.ui.console.transcript import drawn, folded
from netlab.ui.widgets.formatting import Formatting
from tests.support.screen.staging import StagedApp, enter, played
from tests.support.waiting import until


def shown(text: str, width: int = 20) -> list[str]:
    """The rows of a result, folded."""
    lines = drawn(Entry(0, EntryKind.RESULT, text, 1), Formatting())
    return ["".join(part for _, part in line) for line in folded(lines, text, width)]


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("short", "short"),
        ("x" * 60, "x" * 60),
        ("x" * 61, "# … 1 more character"),
        ("x" * 10_060, "# … 10,000 more characters"),
        ("one\ntwo\nthree", "three"),
        ("one\ntwo\nthree\nfour", "# … 1 more line"),
        ("\n".join("x" * 30 for _ in range(500)), "# … 498 more lines"),
    ],
    ids=["short", "fits", "one", "many", "three lines", "four lines", "many lines"],
)
def test_what_is_left_out_is_counted(text: str, last: str) -> None:
    assert shown(text)[-1] == last


@played()
async def test_enter_unfolds_a_long_result_and_folds_it_again(app: StagedApp, pilot: Pilot[None]) -> None:
    console, transcript = app.seen.console, app.seen.console.transcript
    await enter(pilot, "send(b'" + "word " * 200 + "')")
    await enter(pilot, "recv(8192)")
    await until(pilot, lambda: "more character" in app.transcript, "folded")
    explained = console.query_one("#explained", Static)
    await until(pilot, lambda: "enter: show all of the result" in str(explained.render()), "the way is said")
    app.seen.panes.go("bytes")
    await until(pilot, lambda: "enter" not in str(explained.render()), "not said where those keys lead elsewhere")
    app.seen.panes.go("console")
    await until(pilot, lambda: "enter: show all of the result" in str(explained.render()), "said again")
    rows = transcript.virtual_size.height
    await pilot.press("shift+tab", "enter")
    await until(pilot, lambda: transcript.virtual_size.height > rows + 10, "unfolded")
    assert "more character" not in app.transcript
    await pilot.press("enter")
    await until(pilot, lambda: transcript.virtual_size.height == rows, "folded again")
