"""Nothing is cut without "…", words are not broken in the middle, and what wraps in a list is indented."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList, Tab

from netlab.ui.tab_titles import fitting
from netlab.ui.widgets.chooser import Chooser, entry
from netlab.ui.widgets.formatting import shortened
from netlab.ui.widgets.scrollback import breaks
from tests.support.screen.staging import StagedApp, played
from tests.support.waiting import until


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("one two three", ["one two ", "three"]),
        ("a considerable", ["a consider", "able"]),
        ("so unbroken it", ["so ", "unbroken ", "it"]),
        ("x" * 25, ["x" * 10, "x" * 10, "x" * 5]),
        ("ten letters", ["ten ", "letters"]),
    ],
)
def test_only_what_is_longer_than_a_row_is_broken(text: str, rows: list[str]) -> None:
    assert [text[start:end] for start, end in breaks(text, 10)] == rows


def test_what_is_shortened_ends_with_a_whole_word_and_a_sign() -> None:
    assert shortened("Hello world", 11) == "Hello world"
    assert shortened("Hello world", 10) == "Hello…"
    assert shortened("x" * 20, 5) == "xxxx…"


def test_the_longest_titles_are_shortened_first() -> None:
    assert fitting(["1 TCP", "2 multiprocessing"], 30) == ["1 TCP", "2 multiprocessing"]
    assert fitting(["1 TCP", "2 multiprocessing"], 20) == ["1 TCP", "2 multipro…"]


def test_what_a_choice_means_is_wrapped_within_its_column() -> None:
    assert entry("● raw", "the plain socket loop", 20).plain == "● raw  the plain\n       socket loop"
    assert entry("  a very long label", "and more", 20).plain == "  a very long label\n    and more"


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 20)], ids=["120x40", "80x24", "60x20"])
def test_tabs_and_choosers_have_room(size: tuple[int, int]) -> None:
    @played(size)
    async def play(app: StagedApp, pilot: Pilot[None]) -> None:
        assert all(tab.region.right <= size[0] for tab in app.query(Tab))
        await pilot.press("escape", "m")
        await until(pilot, lambda: isinstance(app.screen, Chooser), "the models")
        options = app.screen.query_one(OptionList)
        await until(pilot, lambda: options.size.width > 0, "laid out")
        for index in range(options.option_count):
            lines = str(options.get_option_at_index(index).prompt).split("\n")
            assert all(len(line) <= options.size.width for line in lines), lines
            assert all(line.startswith("    ") for line in lines[1:]), lines

    play()
