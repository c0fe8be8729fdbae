"""Reading code beside the running lab: it is the code that runs, and text is found."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial

import pytest
from textual.pilot import Pilot
from textual.widget import Widget

from netlab.topics.contract import Topic
from netlab.topics.discovery import topics
from netlab.ui.reader.pages import source_pages
from netlab.ui.reader.reader import ReaderPane
from netlab.ui.reader.source_text import SourceText
from netlab.ui.tab.arrangement.slots import Slot
from netlab.ui.widgets.find_bar import FindBar
from tests.support.screen.staging import StagedApp, played
from tests.support.waiting import until
from tests.topics.test_lessons import WIDEST


@pytest.mark.parametrize("topic", topics().values(), ids=list(topics()))
def test_the_code_of_every_model_is_read_before_what_it_stands_on_and_the_client(topic: Topic) -> None:
    for model in topic.models:
        pages = source_pages(topic, model)
        assert "class Server" in pages[0].text, model
        if topic.package.startswith("netlab."):
            assert pages[1].title == "hardening"
        assert any("class Client" in page.text for page in pages)
        assert [page.follows for page in pages[:-1]] == [page.title.rpartition("/")[2] for page in pages[1:]]


def test_source_that_cannot_be_read_says_why() -> None:
    (page,) = source_pages(replace(topics()["tcp"], package="netlab.capture"), "single")
    assert page.text == "# The source cannot be read: No such file or directory" and page.model == "single"


@pytest.mark.parametrize("model", ["single", "threading", "forking"])
def test_a_whole_server_stands_on_one_screen(model: str) -> None:
    @played((120, 40))
    async def read(app: StagedApp, pilot: Pilot[None]) -> None:
        app.seen.ask(f":model {model}")
        await pilot.press("escape", "v")
        await until(pilot, lambda: app.query(SourceText) and f'{{"{model}": Server}}' in shown(app), "the code")
        reader = app.query_one(ReaderPane)
        await until(
            pilot, lambda: reader.query_one(SourceText).size.height == len(shown(app).splitlines()), "all its lines"
        )
        assert (reader.max_scroll_x, reader.max_scroll_y) == (0, 0)

    read()


def shown(app: StagedApp) -> str:
    return app.query_one(SourceText).source


@played()
async def test_the_code_follows_the_model_and_text_is_found(app: StagedApp, pilot: Pilot[None]) -> None:
    await pilot.press("escape", "v")
    await until(pilot, lambda: app.query(SourceText) and "one client at a time" in shown(app), "the code")
    reader = app.query_one(ReaderPane)
    app.seen.ask(":model pool")
    await until(pilot, lambda: app.query(SourceText) and "eight threads" in shown(app), "another model's code")
    assert app.focused is reader
    await pilot.press("v")
    await until(pilot, lambda: app.query(SourceText) and "class HardenedServer" in shown(app), "the hardening")
    reader = app.query_one(ReaderPane)
    await pilot.press("slash")
    await until(pilot, lambda: reader.query_one(FindBar).asking and not reader.has_focus, "a question")
    await pilot.press(*"/timeout")
    source = app.query_one(SourceText)
    assert not source.found
    await pilot.press(*["backspace"] * 8, *"timeout", "enter")
    await until(pilot, lambda: app.focused is reader, "back")
    assert len(source.found) >= 3
    place = reader.scroll_offset.y
    await pilot.press("n")
    await until(pilot, lambda: reader.scroll_offset.y != place, "the next one")
    await pilot.press("escape")
    await until(pilot, lambda: not app.query(ReaderPane), "wire and bytes again")


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
def test_no_line_of_a_lesson_is_cut_off_or_broken(size: tuple[int, int]) -> None:
    @played(size, first="wsgi")
    async def read(app: StagedApp, pilot: Pilot[None]) -> None:
        await pilot.press("escape")
        for key in "ld":
            await pilot.press(key)
            await until(
                pilot, lambda: app.query(ReaderPane) and app.query("MarkdownFence > Label"), "something to read"
            )
            await until(pilot, lambda: app.query_one(ReaderPane).virtual_size.height > 20, "its lines")
            await until(pilot, lambda: narrowest_code(app) >= WIDEST, "all its code")
            for widget in app.query_one(ReaderPane).walk_children():
                assert widget.region.right <= size[0], widget
            await pilot.press("escape")
            await until(pilot, lambda: not app.query(ReaderPane), "wire and bytes again")

    read()


def narrowest_code(app: StagedApp) -> int:
    return min(code.content_size.width for code in app.query("MarkdownFence > Label"))


@played(first="wsgi")
async def test_a_page_that_is_the_same_for_another_model_stays_where_it_is(app: StagedApp, pilot: Pilot[None]) -> None:
    await pilot.press("escape", "v")
    await until(pilot, lambda: app.query(SourceText) and app.query_one(ReaderPane).max_scroll_y > 0, "the code")
    reader, source = app.query_one(ReaderPane), app.query_one(SourceText)
    await pilot.press("slash", *"model", "enter")
    await until(pilot, lambda: app.focused is reader and source.match is not None, "found")
    await pilot.press("G")
    await until(pilot, lambda: reader.scroll_offset.y == reader.max_scroll_y, "the end")
    model = "single" if reader.page.model == "threading" else "threading"
    app.seen.ask(f":model {model}")
    await until(pilot, lambda: reader.page.model == model, "another model")
    await pilot.pause()
    assert app.query_one(SourceText) is source and source.match is not None
    assert reader.scroll_offset.y == reader.max_scroll_y


@played()
async def test_who_reads_the_client_stays_there_when_another_model_serves(app: StagedApp, pilot: Pilot[None]) -> None:
    await pilot.press("escape", "v", "v", "v")
    await until(pilot, lambda: app.query(SourceText) and "class Client" in shown(app), "the client")
    reader = app.query_one(ReaderPane)
    app.seen.ask(":model pool")
    await until(pilot, lambda: reader.page.model == "pool", "another model")
    assert reader.page.title == "tcp/client.py"


@played()
async def test_a_text_that_is_being_typed_is_no_command_when_the_page_turns(app: StagedApp, pilot: Pilot[None]) -> None:
    await pilot.press("escape", "v")
    await until(pilot, lambda: app.query(SourceText) and "one client at a time" in shown(app), "the code")
    reader = app.query_one(ReaderPane)
    await pilot.press("slash", *"Serve")
    question = reader.query_one(FindBar)
    app.seen.ask(":model pool")
    await until(pilot, lambda: "eight threads" in shown(app) and reader.page.model == "pool", "another model's code")
    await pilot.press(*"r:")
    assert question.asking and question.line.value == "Server:"
    await until(pilot, lambda: app.query_one(SourceText).found == lines_with(shown(app), "Server:"), "found in it")
    await pilot.press("escape")
    await until(pilot, lambda: app.focused is reader and not question.searching, "no marks, as before")
    assert (reader.scroll_offset.x, reader.scroll_offset.y) == (0, 0)


def lines_with(text: str, word: str) -> list[int]:
    return [number for number, line in enumerate(text.split("\n")) if word.lower() in line.lower()]


def test_the_lesson_never_stands_below_what_it_replaces(monkeypatch: pytest.MonkeyPatch) -> None:
    @played((120, 40))
    async def read(app: StagedApp, pilot: Pilot[None]) -> None:
        advance, laid_out = Slot.advance, asyncio.Event()
        app.screen.screen_layout_refresh_signal.subscribe(app.query_one("#wire"), lambda screen: laid_out.set())
        together: list[str] = []

        async def painted_meanwhile(slot: Slot[Widget], parent: Widget, before: Widget | None) -> None:
            await advance(slot, parent, before)
            laid_out.clear()
            app.screen.refresh(layout=True)
            await laid_out.wait()
            together.extend(str(each.region) for each in app.query(ReaderPane) if each.region.area)

        monkeypatch.setattr(Slot, "advance", painted_meanwhile)
        await pilot.press("escape", "l")
        await until(pilot, lambda: isinstance(app.focused, ReaderPane), "the reader")
        assert app.query_one(ReaderPane).region.area
        assert together == []

    read()


def is_laid_out(reader: ReaderPane, scrolls: bool) -> bool:
    return reader.virtual_size.height > 10 and bool(reader.max_scroll_y) is scrolls


@played((120, 40))
async def test_a_scrollbar_takes_no_room_from_the_text_so_no_line_breaks_again(
    app: StagedApp, pilot: Pilot[None]
) -> None:
    widths: list[int] = []
    await pilot.press("escape")
    for key, scrolls in (("v", False), ("l", True)):
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.focused, ReaderPane), "the reader")
        reader = app.query_one(ReaderPane)
        await until(pilot, partial(is_laid_out, reader, scrolls), "its lines")
        widths.append(reader.scrollable_content_region.width)
        await pilot.press("escape")
        await until(pilot, lambda: not app.query(ReaderPane), "wire and bytes again")
    assert len(set(widths)) == 1, widths
