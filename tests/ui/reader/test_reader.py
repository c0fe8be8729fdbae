"""Reading code beside the running lab: what runs is marked, and text is found."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from netlab.topics.discovery import topics
from netlab.ui.reader.reader import Reader
from netlab.ui.reader.source_text import SourceText, class_of
from tests.support.screen.staging import StagedApp, played
from tests.support.waiting import until
from tests.topics.test_lessons import WIDEST


@pytest.mark.parametrize("name", list(topics()))
def test_the_class_of_every_model_is_found_in_its_recipe(name: str) -> None:
    topic = topics()[name]
    source = topic.text("server.py")
    for model in topic.models:
        lines = class_of(source, model)
        assert source.split("\n")[lines.start].startswith("class "), model


def test_code_without_models_or_that_does_not_parse_marks_nothing() -> None:
    assert not class_of("x = 1", "single")
    assert not class_of("def (", "single")
    assert not class_of("MODELS = {'single': Gone}", "single")


@played()
async def test_the_running_model_is_marked_and_text_is_found(app: StagedApp, pilot: Pilot[None]) -> None:
    await pilot.press("escape", "v")
    await until(pilot, lambda: app.query(SourceText) and app.query_one(SourceText).running, "the code")
    reader, source = app.query_one(Reader), app.query_one(SourceText)
    await pilot.press("M")
    await until(pilot, lambda: reader.scroll_offset.y > 0, "its class")
    before = source.running
    app.seen.ask(":model pool")
    await until(pilot, lambda: source.running != before, "another class is marked")
    await pilot.press("slash")
    await until(pilot, lambda: app.focused is not reader, "a question")
    await pilot.press(*"/recv")
    assert not source.found
    await pilot.press(*["backspace"] * 5, *"MODELS", "enter")
    await until(pilot, lambda: app.focused is reader, "back")
    assert len(source.found) >= 3
    place = reader.scroll_offset.y
    await pilot.press("n")
    await until(pilot, lambda: reader.scroll_offset.y != place, "the next one")
    await pilot.press("escape")
    await until(pilot, lambda: not app.query(Reader), "wire and bytes again")


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
def test_no_line_of_a_lesson_is_cut_off_or_broken(size: tuple[int, int]) -> None:
    @played(size, first="wsgi")
    async def read(app: StagedApp, pilot: Pilot[None]) -> None:
        await pilot.press("escape")
        for key in "ld":
            await pilot.press(key)
            await until(pilot, lambda: app.query(Reader) and app.query("MarkdownFence > Label"), "something to read")
            await until(pilot, lambda: app.query_one(Reader).virtual_size.height > 20, "its lines")
            for widget in app.query_one(Reader).walk_children():
                assert widget.region.right <= size[0], widget
            assert min(code.content_size.width for code in app.query("MarkdownFence > Label")) >= WIDEST
            await pilot.press("escape")
            await until(pilot, lambda: not app.query(Reader), "wire and bytes again")

    read()
