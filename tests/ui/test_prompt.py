"""The console's input, when it is left: what is typed then is not for it."""

from __future__ import annotations

from textual.pilot import Pilot

from netlab.ui.prompt import Prompt
from tests.ui.staging import StagedApp, played, until


@played()
async def test_a_key_right_after_esc_is_not_typed_into_the_console(app: StagedApp, pilot: Pilot[None]) -> None:
    for key in ("escape", "2"):  # both are there before either is handled
        app.simulate_key(key)
    await until(pilot, lambda: app.bench is not None and app.bench.topic.name == "udp", "the other tab")
    await until(pilot, lambda: app.focused in app.seen.console.query(Prompt))
    await pilot.press("escape", "1")
    await until(pilot, lambda: app.seen.topic.name == "tcp")
    assert app.seen.console.prompt.value == ""
    await until(pilot, lambda: app.focused in app.seen.console.query(Prompt))
    await pilot.press("2")
    assert app.seen.console.prompt.value == "2"


def at_once(app: StagedApp, *keys: str) -> None:
    """All of them are there before the first is handled, as from a paste or over a slow line."""
    for key in keys:
        app.simulate_key(key)


@played()
async def test_keys_in_one_burst_act_in_their_order(app: StagedApp, pilot: Pilot[None]) -> None:
    at_once(app, *"junk", "ctrl+u", *"One", "enter", *"Two", "enter", *"xyz", "backspace", "backspace", "home", "w")
    await until(pilot, lambda: "b'Two'" in app.transcript, "both lines ran")
    assert [line for line in app.transcript.split("\n") if ".send(" in line] == [
        ">>> s.send(b'One')",
        ">>> s.send(b'Two')",
    ]
    assert app.seen.console.prompt.value == "wx"


@played()
async def test_a_remapped_key_acts_and_its_old_one_does_not(app: StagedApp, pilot: Pilot[None]) -> None:
    app.set_keymap({"prompt.older": "ctrl+r"})
    at_once(app, *"One", "enter")
    await until(pilot, lambda: "b'One'" in app.transcript)
    await pilot.press("up")
    assert app.seen.console.prompt.value == ""
    at_once(app, "ctrl+r", "!")
    await until(pilot, lambda: app.seen.console.prompt.value == "One!")
