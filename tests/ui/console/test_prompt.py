"""The console's input, when it is left: what is typed then is not for it."""

from __future__ import annotations

from textual.pilot import Pilot
from textual.widgets import Input

from netlab.ui.console.prompt import PromptInput
from tests.support.screen.staging import StagedApp, played
from tests.support.waiting import until


@played()
async def test_a_key_right_after_esc_is_not_typed_into_the_console(app: StagedApp, pilot: Pilot[None]) -> None:
    for key in ("escape", "2"):  # both are there before either is handled
        app.simulate_key(key)
    await until(pilot, lambda: app.tab is not None and app.tab.topic.name == "udp", "the other tab")
    await until(pilot, lambda: app.focused in app.seen.console.query(PromptInput))
    await pilot.press("escape", "1")
    await until(pilot, lambda: app.seen.topic.name == "tcp")
    assert app.seen.console.prompt.value == ""
    await until(pilot, lambda: app.focused in app.seen.console.query(PromptInput))
    await pilot.press("2")
    assert app.seen.console.prompt.value == "2"


def at_once(app: StagedApp, *keys: str) -> None:
    """All of them are there before the first is handled, as from a paste or over a slow line."""
    for key in keys:
        app.simulate_key(key)


@played()
async def test_keys_in_one_burst_act_in_their_order(app: StagedApp, pilot: Pilot[None]) -> None:
    at_once(app, *"junk", "ctrl+u", *"One", "enter", *"Two", "enter", *"xyz", "backspace", "backspace", "home", "w")
    await until(pilot, lambda: "b'Two'" in app.transcript.splitlines(), "both lines ran")
    assert [line for line in app.transcript.split("\n") if ".send(" in line] == [
        ">>> s.send(b'One')",
        ">>> s.send(b'Two')",
    ]
    await until(pilot, lambda: app.seen.console.prompt.value == "wx", "each key of the third line had its turn")


@played()
async def test_a_remapped_key_acts_and_its_old_one_does_not(app: StagedApp, pilot: Pilot[None]) -> None:
    app.set_keymap({"prompt.older": "ctrl+r"})
    at_once(app, *"One", "enter")
    await until(pilot, lambda: "b'One'" in app.transcript.splitlines())
    await pilot.press("up")
    assert app.seen.console.prompt.value == ""
    at_once(app, "ctrl+r", "!")
    await until(pilot, lambda: app.seen.console.prompt.value == "One!")


@played()
async def test_what_is_typed_right_behind_the_filters_key_is_the_filter(app: StagedApp, pilot: Pilot[None]) -> None:
    at_once(app, *"Hello", "enter")
    await until(pilot, lambda: "b'Hello'" in app.transcript.splitlines())
    at_once(app, "escape")
    await until(pilot, lambda: app.seen.panes.pane_of(app.focused) == "wire")
    at_once(app, "slash", *"'mx<-9'", "enter")
    await until(pilot, lambda: not app.seen.wire.question.asking and app.seen.wire.question.line.value == "'mx<-9'")
    assert len(app.screen_stack) == 1 and "closed" not in app.transcript
    at_once(app, "slash", *"->", "enter")
    await until(pilot, lambda: not app.seen.wire.question.asking and app.seen.wire.question.line.value == "->")
    app.seen.panes.go("log")
    await until(pilot, lambda: app.seen.panes.pane_of(app.focused) == "log")
    at_once(app, "i", *"'qvf'", "enter")
    await until(pilot, lambda: app.seen.lab.state.intercept == "'qvf'", "from another pane, through its tab")


@played()
async def test_a_colon_begins_a_command_wherever_it_is_pressed(app: StagedApp, pilot: Pilot[None]) -> None:
    at_once(app, *"draft", "escape", "colon", *"connect cx", "enter")
    await until(pilot, lambda: [session.name for session in app.seen.lab.sessions] == ["cx"])
    await pilot.press("up", "up")
    assert app.seen.console.prompt.value == "draft"


@played()
async def test_a_list_that_opens_takes_the_keys_behind_its_own(app: StagedApp, pilot: Pilot[None]) -> None:
    at_once(app, "escape", "m", "down", "enter")
    await until(pilot, lambda: app.seen.lab.state.model == "threading")
    at_once(app, "ctrl+p", *"mod")
    await until(pilot, lambda: [line.value for line in app.screen.query(Input)] == ["mod"])
