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
