"""Nothing is cut without "…", words are not broken in the middle, and what wraps in a list is indented."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import OptionList, Static, Tab

from netlab.ui.experiments.experiment_pane import ExperimentPane, Stage
from netlab.ui.faults.fault_form import FaultForm
from netlab.ui.keys.help import Help
from netlab.ui.lanes.lanes_pane import LanesPane
from netlab.ui.reader.reader import ReaderPane
from netlab.ui.reader.source_text import SourceText
from netlab.ui.tab.arrangement.pane_bar import PaneBar
from netlab.ui.tab_titles import fitting
from netlab.ui.widgets.chooser import Chooser, entry
from netlab.ui.widgets.formatting import shortened
from netlab.ui.widgets.scrollback import breaks
from tests.support.screen.staging import StagedApp, enter, played
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


SIZES = pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 20)], ids=["120x40", "80x24", "60x20"])


def rows_of(widget: Widget) -> list[str]:
    """What of a widget is on the screen, row by row."""
    region = widget.region.intersection(widget.screen.find_widget(widget).clip)
    strips = widget.screen._compositor.render_strips()[region.y : region.bottom]
    return [strip.crop(region.x, region.right).text for strip in strips]


@SIZES
def test_a_line_of_code_that_goes_on_beyond_the_reader_says_so(size: tuple[int, int]) -> None:
    @played(size)
    async def play(app: StagedApp, pilot: Pilot[None]) -> None:
        await pilot.press("escape", "v", "v")
        await until(pilot, lambda: app.query(SourceText) and "HardenedServer" in app.query_one(SourceText).source)
        source, reader = app.query_one(SourceText), app.query_one(ReaderPane)
        await until(pilot, lambda: reader.max_scroll_x > 0, "laid out")
        for x in (0, 8, reader.max_scroll_x):
            reader.scroll_to(x=x, animate=False)
            await until(pilot, lambda x=x: reader.scroll_offset.x == x, "scrolled")
            await pilot.pause()
            lines, width = source.source.split("\n"), len(rows_of(source)[0])
            for number, row in enumerate(rows_of(source)):
                line = f" {lines[number]}"
                if "▸" in row or "←" in row:  # where the server stands, which has tests of its own
                    continue
                assert (row[-1] == "…") is (len(line) > x + width), row
                assert (row[0] == "…") is (x > 0 and bool(line[:x].strip())), row
                assert row.strip("… ") in line

    play()


@SIZES
def test_what_stands_above_the_panes_is_wrapped_for_the_size_that_the_screen_gets(size: tuple[int, int]) -> None:
    @played((120, 40))
    async def play(app: StagedApp, pilot: Pilot[None]) -> None:
        for key, kind in ("question_mark", Help), ("f", FaultForm), ("c", Chooser):
            await pilot.resize_terminal(120, 40)
            await pilot.press("escape", key)
            await until(pilot, lambda kind=kind: isinstance(app.screen, kind), "it is open")
            await pilot.resize_terminal(*size)
            await until(pilot, lambda: app.screen.size == size, "the new size")
            await pilot.pause()
            texts = [*app.screen.query(Static), *app.screen.query(OptionList)]
            for widget in texts:
                room = widget.content_size.width
                assert not [line for line in lines_of(widget) if cell_len(line) > room], widget
            await until(pilot, lambda: any(re.search("esc (leaves|closes)", row) for row in named(app.screen)), "whole")
            await pilot.press("escape")
            await until(pilot, lambda: len(app.screen_stack) == 1, "left")

    play()


def lines_of(widget: Widget) -> list[str]:
    """The lines of a text, or of a list's entries, as they were made."""
    if isinstance(widget, OptionList):
        return [line for option in widget.options for line in str(option.prompt).split("\n")]
    assert isinstance(widget, Static)
    return str(widget.content).split("\n")


def named(screen: Screen[object]) -> Iterator[str]:
    """The rows at the foot of a box, and its border."""
    for strip in screen._compositor.render_strips():
        yield strip.text


@SIZES
def test_the_bar_of_panes_says_whole_hints(size: tuple[int, int]) -> None:
    @played(size)
    async def play(app: StagedApp, pilot: Pilot[None]) -> None:
        await pilot.press("escape")
        await pilot.press("p")
        await until(pilot, lambda: app.query(LanesPane) and app.query_one(LanesPane).content_size.width, "the lanes")
        lanes = app.query_one(LanesPane)
        assert "connect any other client." in " ".join(lanes.text.split())
        await until(
            pilot,
            lambda: all(cell_len(line) <= lanes.content_size.width for line in lanes.text.splitlines()),
            "whole lines",
        )
        await pilot.press("e")
        await until(pilot, lambda: app.seen.panes.pane_of(app.focused) == "experiment", "the experiments")
        for bar in app.query(PaneBar):
            hints = str(bar.content).partition("log")[2].split("   ")[1:]
            assert cell_len(str(bar.content)) <= max(size[0] - 2, 0)
            assert set(hints) <= {"", "tab: next pane", "\\: the whole tab"}
            assert bar.display is (size[0] < 100)

    play()


@SIZES
def test_the_reader_stands_alone_whatever_stood_there_before(size: tuple[int, int]) -> None:
    @played(size)
    async def play(app: StagedApp, pilot: Pilot[None]) -> None:
        await pilot.press("escape", "e")
        await until(pilot, lambda: app.seen.panes.pane_of(app.focused) == "experiment", "the experiments")
        app.seen.panes.go("bytes")
        await until(pilot, lambda: app.seen.panes.pane_of(app.focused) == "bytes", "the bytes in their place")
        await pilot.press("v")
        await until(pilot, lambda: app.query(ReaderPane) and app.query_one(ReaderPane).has_focus, "it is read")
        await until(pilot, lambda: not app.seen.inspector.display, "only the reader beside the console")

    play()


@SIZES
@pytest.mark.parametrize("first", ["tls", "zerocopy"])
def test_all_that_stands_below_the_bytes_is_whole(size: tuple[int, int], first: str) -> None:
    @played(size, first=first)
    async def play(app: StagedApp, pilot: Pilot[None]) -> None:
        inspector, log = app.seen.inspector, app.seen.log_pane
        await enter(pilot, "1 MiB" if first == "zerocopy" else "Hello")
        await until(pilot, lambda: "fetched" in log.text or "b'Hello'" in app.transcript.splitlines(), "the answer")
        app.seen.panes.go("bytes")
        await until(pilot, lambda: app.focused is inspector.bytes, "the bytes have the focus")
        below = inspector.data_inspector
        if first == "zerocopy":
            await until(pilot, lambda: inspector.query(".panel"), "the buffer's panel")
        await until(
            pilot,
            lambda: below.region.height >= 2 and below.region.bottom <= inspector.region.bottom,
            "the values at the cursor",
        )

    play()


@played((120, 40), first="hmac")
async def test_a_question_is_seen_from_its_first_line_when_the_screen_gets_smaller(
    app: StagedApp, pilot: Pilot[None]
) -> None:
    await pilot.press("escape", "e", "1")
    await until(pilot, lambda: app.query(ExperimentPane) and app.query_one(ExperimentPane).stage is Stage.QUESTION)
    pane = app.query_one(ExperimentPane)
    for size in ((60, 20), (80, 24), (60, 20)):
        await pilot.resize_terminal(*size)
        await until(pilot, lambda size=size: app.screen.size == size, "the new size")
        for _ in range(5):
            await pilot.pause()
        await until(pilot, lambda: pane.scroll_offset.y == 0, "its first line")
