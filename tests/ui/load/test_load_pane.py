"""A load in the app: asked for in a form or a line, seen in its pane, compared, saved and opened again."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from netlab.ui.keys.footer import KeyFooter
from netlab.ui.load.load_form import LoadForm
from netlab.ui.load.load_pane import LoadPane
from netlab.ui.load.load_request import LoadRequest
from netlab.ui.load.tab_loads import TabLoads
from netlab.ui.widgets.chooser import Chooser
from tests.support.screen.staging import StagedApp, enter, played
from tests.support.waiting import until
from tests.ui.load.made_runs import two_models


def pane(app: StagedApp) -> LoadPane:
    return app.query_one(LoadPane)


def verdict(app: StagedApp) -> str:
    return str(app.screen.query_one("#load-verdict", Static).content)


@played(size=(80, 24))
async def test_a_form_asks_for_it_leaving_the_pane_does_not_stop_it_and_ctrl_c_does(
    app: StagedApp, pilot: Pilot[None]
) -> None:
    app.stage.text = str  # type: ignore[method-assign]  # the stage would wait for a session of each client
    await pilot.press("escape", "W")
    await until(pilot, lambda: isinstance(app.screen, LoadForm), "the form")
    assert verdict(app) == "✓ :load --clients 10 --rate 100 --for 10s"
    await pilot.press("tab", "ctrl+u", "2", "tab", "ctrl+u", "n", "o")
    await until(pilot, lambda: verdict(app).startswith("✗ rate: no is not requests a second"), "the verdict")
    await pilot.press("enter", "ctrl+u", "2", "0", "tab", "ctrl+u", "6", "0", "enter")
    await until(pilot, lambda: app.query(LoadPane) and pane(app).has_focus_within, "the pane")
    await until(pilot, lambda: "▸A single ◔" in pane(app).text and "queue" in pane(app).text, "its picture")
    assert "running" in str(pane(app).border_title)
    await pilot.press("escape")
    await until(pilot, lambda: not app.query(LoadPane), "put away")
    assert app.seen.live.loading
    await until(pilot, lambda: "^c stop load" in app.query_one(KeyFooter).render().plain, "the footer")
    await pilot.press("colon")
    await until(pilot, lambda: app.focused is app.seen.console.prompt)
    await enter(pilot, ":load --clients 1")
    await until(pilot, lambda: "a load runs already" in app.transcript, "the refusal")
    await pilot.press("ctrl+c")
    await until(pilot, lambda: not app.seen.live.loading, "the end")
    await enter(pilot, ":load stop")
    await until(pilot, lambda: "no load runs" in app.transcript, "another refusal")
    await enter(pilot, ":load Hello --clients 2 --rate 50 --for 0.2s")
    await until(pilot, lambda: app.query(LoadPane) and "▸B single  " in pane(app).text, "the second")
    await until(pilot, lambda: pane(app).has_focus_within, "the pane has the focus")
    await pilot.press("b")
    await until(pilot, lambda: isinstance(app.screen, Chooser), "the models")
    await pilot.press("enter")
    await until(pilot, lambda: "▸C threading  " in pane(app).text and not app.seen.live.loading, "the third")
    assert app.seen.lab.state.model == "single"
    assert "beside each other" in str(pane(app).border_title)


@played()
async def test_runs_are_chosen_zoomed_frozen_laid_over_each_other_saved_and_opened(
    app: StagedApp, pilot: Pilot[None]
) -> None:
    await enter(pilot, "Hello")
    await until(pilot, lambda: app.seen.lab.current is not None and app.seen.lab.current.connected, "the client")
    loads = app.seen.live.loads = TabLoads(app.seen.lab)
    loads.add([(run, LoadRequest()) for run in two_models()])
    await pilot.press("escape", "W")
    await until(pilot, lambda: app.query(LoadPane) and pane(app).has_focus_within, "the pane")
    await until(pilot, lambda: "▸B threading" in pane(app).text)
    await pilot.press("x", "up")  # no load is to be stopped, and no client to be closed
    assert app.seen.lab.current is not None and app.seen.lab.current.connected
    assert "▸A single" in pane(app).text and "✗ errors: 13 × timed out" in pane(app).text
    whole = pane(app).text
    await pilot.press("equals_sign", "equals_sign", *["left"] * 4)
    assert "×4" in str(pane(app).border_title) and "6.5 s" in pane(app).text
    await pilot.press("end")
    assert pane(app).text == whole
    await pilot.press("t", "t")
    assert "* several in one place" in pane(app).text
    await pilot.press("t", "space")
    assert "frozen; space continues" in str(pane(app).border_title)
    loads.forget("B")
    await pilot.pause(0.3)
    assert "B threading" in pane(app).text
    await pilot.press("space")
    await until(pilot, lambda: "B threading" not in pane(app).text, "it goes on")
    await saved_and_opened(app, pilot)


async def saved_and_opened(app: StagedApp, pilot: Pilot[None]) -> None:
    Path("loads.json").write_text("mine")
    await pilot.press("w", *"loads", "full_stop", *"json", "enter")
    await until(pilot, lambda: written("loads.json") not in ("", "mine"), "the file")
    assert Path("loads.json~").read_text() == "mine"
    app.seen.load.open("loads.json")
    await until(pilot, lambda: "▸C single" in pane(app).text, "the runs again")


def written(name: str) -> str:
    """What is in a file; nothing while the one before has left its place, and the new one has not taken it."""
    with contextlib.suppress(FileNotFoundError):
        return Path(name).read_text()
    return ""


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
