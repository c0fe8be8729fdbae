"""What this system cannot do stands greyed in the list of models, with the reason, and in the help."""

import asyncio
import os

import pytest
from textual.app import App
from textual.widgets import OptionList

from netlab.topics.discovery import topic_named
from netlab.ui.keys import help as help_screen
from netlab.ui.widgets.chooser import Chooser, ChooserItem


def test_a_model_that_cannot_run_cannot_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fork")
    tcp = topic_named("tcp")
    choices = [ChooserItem(model, model, "", tcp.lacking(model)) for model in tcp.models]

    async def scenario() -> None:
        app = App[None]()
        async with app.run_test(size=(80, 24)) as pilot:
            await app.push_screen(Chooser("models", choices, "threading"))
            options = app.screen.query_one(OptionList)
            forking = options.get_option_at_index(tcp.models.index("forking"))
            assert forking.disabled
            assert "this system has no os.fork" in " ".join(str(forking.prompt).split())
            await pilot.press("down")
            assert options.highlighted == tcp.models.index("pool")  # the greyed one is passed over

    asyncio.run(scenario())


def test_the_help_says_what_this_system_cannot_do(monkeypatch: pytest.MonkeyPatch) -> None:
    tcp = topic_named("tcp")
    monkeypatch.setattr(help_screen, "counts_accept_queue", lambda: True)
    assert help_screen.limits(tcp) == []
    monkeypatch.delattr(os, "fork")
    monkeypatch.setattr(help_screen, "counts_accept_queue", lambda: False)
    assert [what for what, _ in help_screen.limits(tcp)] == ["model forking", "queue"]
