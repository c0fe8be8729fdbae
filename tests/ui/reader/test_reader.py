"""Reading code beside the running lab: it is the code that runs, and text is found."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from netlab.topics.contract import Topic
from netlab.topics.discovery import topics
from netlab.ui.reader.pages import source_pages
from netlab.ui.reader.reader import ReaderPane
from netlab.ui.reader.source_text import SourceText
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


@pytest.mark.parametrize("model", ["single", "threading", "forking"])
def test_a_whole_server_stands_on_one_screen(model: str) -> None:
    @played((120, 40))
    async def read(app: StagedApp, pilot: Pilot[None]) -> None:
        app.seen.ask(f":model {model}")
        await pilot.press("escape", "v")
        await until(pilot, lambda: app.query(SourceText) and f'{{"{model}": Server}}' in shown(app), "the code")
        reader = app.query_one(ReaderPane)
        await until(pilot, lambda: reader.virtual_size.height > 10, "its lines")
        assert (reader.max_scroll_x, reader.max_scroll_y) == (0, 0)
        assert reader.query_one(SourceText).size.height == len(shown(app).splitlines())

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
    await until(pilot, lambda: app.focused is not reader, "a question")
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
            for widget in app.query_one(ReaderPane).walk_children():
                assert widget.region.right <= size[0], widget
            assert min(code.content_size.width for code in app.query("MarkdownFence > Label")) >= WIDEST
            await pilot.press("escape")
            await until(pilot, lambda: not app.query(ReaderPane), "wire and bytes again")

    read()
