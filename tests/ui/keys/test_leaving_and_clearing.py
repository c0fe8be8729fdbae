"""Esc leaves, and does nothing else; one key, the same in every pane, clears what a pane marks, selects or filters."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module

import pytest
from textual.binding import Binding
from textual.dom import DOMNode
from textual.pilot import Pilot
from textual.widget import Widget

import netlab.ui
from netlab.ui.keys.footer import KeyFooter
from netlab.ui.reader.lesson_text import LessonText
from netlab.ui.reader.reader import ReaderPane
from netlab.ui.reader.source_text import SourceText
from netlab.ui.widgets.find_bar import FindBar
from netlab.ui.widgets.question import Question
from netlab.ui.widgets.searched_scrollback import SearchedScrollback
from tests.support.screen.staging import StagedApp, enter, played, said_hello
from tests.support.waiting import until

LEAVING = {"dismiss", "leave", "close", "cancel", "back"}
"""The actions that leave a pane, a question, a form."""


def bound() -> Iterator[tuple[str, Binding]]:
    """All that any class of the screen binds, with the name of the class."""
    for module in pkgutil.walk_packages(netlab.ui.__path__, "netlab.ui."):
        for name, kind in vars(import_module(module.name)).items():
            if isinstance(kind, type) and issubclass(kind, DOMNode) and kind.__module__ == module.name:
                yield from ((name, each) for each in vars(kind).get("BINDINGS", ()) if isinstance(each, Binding))


def test_esc_is_bound_to_leaving_alone() -> None:
    for name, binding in bound():
        if "escape" in binding.key.split(","):
            assert binding.action.partition("(")[0] in LEAVING, f"{name}: {binding.action}"


def test_one_key_clears_in_every_pane() -> None:
    clears = {name: binding for name, binding in bound() if binding.action == "clear" and binding.show}
    assert clears.keys() >= {"BytesPane", "WireList", "SearchedScrollback", "ReaderPane"}
    assert {binding.key for binding in clears.values()} == {"backspace"}


def offered(app: StagedApp) -> bool:
    """Whether the footer names the key."""
    return "bksp clear" in app.query_one(KeyFooter).render().plain


async def asked(pilot: Pilot[None], key: str, text: str, ends: str) -> None:
    """Open a question, type over what stands in it, and end it."""
    await pilot.press(key)
    await until(pilot, lambda: any(each.asking for each in pilot.app.query(Question)), "a question")
    await pilot.press(*text, ends)
    await until(pilot, lambda: not any(each.asking for each in pilot.app.query(Question)), "its end")
    await pilot.pause()


SIZES = pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 20)], ids=["120x40", "80x24", "60x20"])


@SIZES
def test_the_wires_filter(size: tuple[int, int]) -> None:
    @played(size)
    async def play(app: StagedApp, pilot: Pilot[None]) -> None:
        await said_hello(app, pilot)
        wire = app.seen.wire
        app.seen.panes.go("wire")
        await until(pilot, lambda: app.seen.panes.pane_of(app.focused) == "wire", "the wire has the focus")
        everything = wire._list.rows.count
        assert not offered(app)
        await asked(pilot, "slash", "open", "escape")
        assert wire._list.rows.count == everything, "none stood before"
        await asked(pilot, "slash", "data", "enter")
        await until(pilot, lambda: wire._list.rows.count < everything and offered(app), "filtered")
        left = wire._list.rows.count
        await asked(pilot, "slash", "open", "escape")
        assert wire._list.rows.count == left and "shown" in wire._list.rows.note, "the one before stands again"
        await pilot.press("escape")
        assert wire._list.rows.count == left and app.seen.panes.pane_of(app.focused) == "wire"
        await pilot.press("backspace")
        await until(pilot, lambda: wire._list.rows.count == everything and not offered(app), "all again")

    play()


@SIZES
def test_the_bytes_search_selection_and_struct_format(size: tuple[int, int]) -> None:
    @played(size)
    async def play(app: StagedApp, pilot: Pilot[None]) -> None:
        await said_hello(app, pilot)
        pane = app.seen.inspector
        app.seen.panes.go("bytes")
        await until(pilot, lambda: app.focused is pane.bytes, "the bytes have the focus")
        await asked(pilot, "u", "!BB", "enter")
        assert pane.data_inspector.form == "!BB" and offered(app)
        await asked(pilot, "u", "!H", "escape")
        assert pane.data_inspector.form == "!BB", "the format before"
        await pilot.press("shift+right")
        await asked(pilot, "slash", "l", "enter")
        await until(pilot, lambda: pane.bytes.cursor == 2, "found")
        await pilot.press("shift+right", "escape")
        assert (pane.data_inspector.form, pane._finding.pattern, pane.bytes.selection) == ("!BB", b"l", (2, 4))
        for left in (("!BB", b"", (2, 4)), ("!BB", b"", (0, 0)), ("", b"", (0, 0))):
            assert offered(app)
            await pilot.press("backspace")
            await pilot.pause()
            assert (pane.data_inspector.form, pane._finding.pattern, pane.bytes.selection) == left
        assert not offered(app)
        await pilot.press("shift+right")
        await until(pilot, lambda: offered(app), "it can be cleared again")

    play()


@played()
async def test_leaving_a_search_of_the_transcript_restores_marks_and_place(app: StagedApp, pilot: Pilot[None]) -> None:
    for number in range(40):
        await enter(pilot, f"word{number}")
    await until(pilot, lambda: "b'word39'" in app.transcript, "the last answer")
    transcript = app.seen.console.transcript
    transcript.focus()
    await asked(pilot, "slash", "word2'", "escape")
    await until(pilot, lambda: transcript.follows, "the newest line again")
    assert transcript.match is None and not offered(app)
    await asked(pilot, "slash", "word30'", "enter")
    stood = transcript.match, transcript.scroll_offset.y
    await asked(pilot, "slash", "word2'", "escape")
    await until(pilot, lambda: (transcript.match, transcript.scroll_offset.y) == stood, "where it stood")
    assert offered(app)
    await pilot.press("backspace")
    await until(pilot, lambda: transcript.match is None and not offered(app), "no mark")


@SIZES
def test_leaving_a_search_of_source_and_lesson_restores_marks_and_place(size: tuple[int, int]) -> None:
    @played(size)
    async def play(app: StagedApp, pilot: Pilot[None]) -> None:
        for keys, kind in ("vv", SourceText), ("l", LessonText):
            await pilot.press("escape", *keys)
            await until(pilot, lambda kind=kind: app.query(kind) and app.query_one(ReaderPane).has_focus, "it is read")
            reader = app.query_one(ReaderPane)
            await until(pilot, lambda reader=reader: reader.max_scroll_y > 0, "laid out")
            searched: Widget = app.query_one(kind)
            assert isinstance(searched, SourceText | LessonText)
            await asked(pilot, "slash", "client", "enter")
            await pilot.press("n", "n")
            await pilot.pause()
            right = min(reader.max_scroll_x, 5)
            reader.scroll_to(x=right, animate=False)
            await until(pilot, lambda r=reader, x=right: r.scroll_offset.x == x, "scrolled to the right")
            stood = searched.match, reader.scroll_offset
            await asked(pilot, "slash", "server", "escape")
            await until(
                pilot, lambda s=searched, r=reader, at=stood: (s.match, r.scroll_offset) == at, "where it stood"
            )
            assert offered(app) and reader.query_one(FindBar).searching
            await pilot.press("backspace")
            await until(pilot, lambda: not offered(app), "no mark")
            assert reader.is_attached

    play()


@played((60, 20))
async def test_the_logs_marks(app: StagedApp, pilot: Pilot[None]) -> None:
    await enter(pilot, "Hello")
    log: SearchedScrollback = app.seen.log_pane
    await until(pilot, lambda: "accepted" in log.text, "the log")
    app.seen.panes.go("log")
    await until(pilot, lambda: app.focused is log, "the log has the focus")
    await asked(pilot, "slash", "accepted", "enter")
    await until(pilot, lambda: offered(app), "the key is named")
    await pilot.press("escape")
    assert log.match is not None and app.focused is log
    await pilot.press("backspace")
    await until(pilot, lambda: log.match is None and not offered(app), "no mark")
