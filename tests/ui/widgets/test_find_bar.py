"""``/`` searches where one is: transcript, log, source, lesson and bytes; in the wire it filters."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from netlab.ui.reader.lesson_text import LessonText
from netlab.ui.reader.reader import ReaderPane
from netlab.ui.reader.source_text import SourceText
from netlab.ui.widgets.find_bar import FindBar, next_match
from netlab.ui.widgets.question import Question
from netlab.ui.widgets.searched_scrollback import SearchedScrollback
from tests.support.screen.staging import StagedApp, enter, played, said_hello
from tests.support.waiting import until


def test_the_next_match_lies_beyond_the_present_one_around_the_end() -> None:
    assert [next_match([2, 5, 9], here, 1) for here in (0, 2, 9)] == [2, 5, 2]
    assert [next_match([2, 5, 9], here, -1) for here in (9, 5, 2)] == [5, 2, 9]
    assert [next_match([2, 5, 9], here, 0) for here in (2, 3, 10)] == [2, 5, 2]


def shown(ring: SearchedScrollback) -> list[str]:
    """The rows on the screen, with their margin."""
    return [ring.render_line(y).text.rstrip() for y in range(ring.size.height)]


def gone_to(ring: SearchedScrollback) -> str:
    """The row with the sign of the match, or nothing."""
    return next((row[1:] for row in shown(ring) if row.startswith("»")), "")


async def searched(app: StagedApp, pilot: Pilot[None], text: str) -> None:
    """Press / and type, and keep what was found."""
    await pilot.press("slash")
    await until(pilot, lambda: any(bar.asking for bar in app.query(FindBar)), "a question")
    await pilot.press(*text, "enter")
    await until(pilot, lambda: not any(bar.asking for bar in app.query(FindBar)), "an answer")


@played()
async def test_the_transcript_is_searched(app: StagedApp, pilot: Pilot[None]) -> None:
    transcript = app.seen.console.transcript
    for number in range(40):
        await enter(pilot, f"word{number}")
    await until(pilot, lambda: "b'word39'" in app.transcript, "the last answer")
    transcript.focus()
    await searched(app, pilot, "WORD1'")
    await until(pilot, lambda: "word1'" in gone_to(transcript), "the line is in view")
    assert gone_to(transcript) == ">>> s.send(b'word1')"
    await pilot.press("n")
    await until(pilot, lambda: gone_to(transcript) == "b'word1'", "the next line that has it")
    await pilot.press("N")
    await until(pilot, lambda: gone_to(transcript).startswith(">>>"), "the line before")
    assert len(app.seen.lab.sessions) == 1, "n is a match here, and opens no client"
    await pilot.press("escape")
    assert gone_to(transcript).startswith(">>>"), "esc leaves, and does nothing else"
    await pilot.press("backspace")
    await until(pilot, lambda: not gone_to(transcript), "no mark any more")


@played((80, 24))
async def test_the_log_is_searched(app: StagedApp, pilot: Pilot[None]) -> None:
    await enter(pilot, "Hello")
    await until(pilot, lambda: "accepted" in app.seen.log_pane.text, "the log")
    app.seen.panes.go("log")
    await until(pilot, lambda: app.focused is app.seen.log_pane, "the log has the focus")
    await searched(app, pilot, "accepted")
    assert "accepted" in gone_to(app.seen.log_pane)
    await pilot.press("slash", *"no such line")
    verdict = app.seen.log_pane.find_bar.query_one("#question-verdict", Static)
    await until(pilot, lambda: "not found" in str(verdict.render()), "it says so")
    await pilot.press("escape")
    await until(pilot, lambda: app.focused is app.seen.log_pane, "back in the log")
    assert "accepted" in gone_to(app.seen.log_pane), "what was found before"


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
def test_source_and_lesson_are_searched(size: tuple[int, int]) -> None:
    @played(size)
    async def play(app: StagedApp, pilot: Pilot[None]) -> None:
        for keys, kind in ("vv", SourceText), ("l", LessonText):
            await pilot.press("escape", *keys)
            await until(pilot, lambda kind=kind: app.query(kind) and app.query_one(ReaderPane).has_focus, "it is read")
            reader = app.query_one(ReaderPane)
            await until(pilot, lambda reader=reader: reader.max_scroll_y > 0, "laid out")
            await searched(app, pilot, "client")
            places = set()
            for _ in range(12):
                places.add(reader.scroll_offset.y)
                await until(pilot, lambda reader=reader: "client" in reversed_in(reader), "a match is in view")
                await pilot.press("n")
            assert len(places) > 1, "n goes on"
            assert len(app.seen.lab.sessions) == 0

    play()


def reversed_in(reader: ReaderPane) -> str:
    """What of the reader is drawn reversed on the screen, in small letters."""
    found = []
    for strip in reader.screen._compositor.render_strips():
        column = 0
        for segment in strip:
            if segment.style is not None and segment.style.reverse and column >= reader.region.x:
                found.append(segment.text)
            column += segment.cell_length
    return "\n".join(found).lower()


@played()
async def test_slash_in_the_bytes_finds_bytes_and_in_the_wire_filters(app: StagedApp, pilot: Pilot[None]) -> None:
    await said_hello(app, pilot)
    app.seen.panes.go("bytes")
    await until(pilot, lambda: app.focused is app.seen.inspector.bytes, "the bytes have the focus")
    await pilot.press("slash", *"l/", "backspace", "enter")
    await until(pilot, lambda: app.seen.inspector.bytes.cursor == 2, "found")
    app.seen.panes.go("wire")
    await until(pilot, lambda: app.seen.panes.pane_of(app.focused) == "wire", "the wire has the focus")
    await pilot.press("slash", *"open", "enter")
    await until(pilot, lambda: not app.seen.wire.question.asking, "filtered")
    assert app.seen.wire.highlighted is not None and not app.seen.wire.highlighted.data


@played()
async def test_where_nothing_can_be_searched_it_says_so(app: StagedApp, pilot: Pilot[None]) -> None:
    await pilot.press("escape", "e")
    await until(pilot, lambda: app.seen.panes.pane_of(app.focused) == "experiment", "the experiments")
    await pilot.press("slash")
    await until(pilot, lambda: any("cannot be searched" in note.message for note in app._notifications), "it is said")
    assert not any(question.asking for question in app.query(Question))
