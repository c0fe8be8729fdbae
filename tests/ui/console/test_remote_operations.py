"""What a server's introspection adds to the console: completion, signatures and help."""

from __future__ import annotations

from textual.pilot import Pilot
from textual.widgets import Static

from netlab.ui.keys.help import Help
from tests.support.screen.staging import StagedApp, played
from tests.support.waiting import until


def explained(app: StagedApp) -> str:
    return str(app.seen.console.query_one("#explained", Static).content)


@played(first="xmlrpc")
async def test_tab_asks_the_server_and_completes_with_what_it_says(app: StagedApp, pilot: Pilot[None]) -> None:
    await until(pilot, lambda: app.seen.completion.ask is not None, "the topic's client is known")
    await pilot.press(*"se")
    assert explained(app) == "press tab to ask the server what it offers"
    await pilot.press("tab")
    await until(pilot, lambda: app.seen.console.prompt.value == "set(", "completed")
    await until(pilot, lambda: explained(app) == "set(string, any) -> nil · Store a value under a name.", "explained")
    calls = [line for line in app.transcript.splitlines() if line.startswith(">>> s.")]
    assert calls == [">>> s.remote_operations()", ">>> s.remote_help('set')"], "it is seen that the server was asked"
    await pilot.press(*"'a', 1)", "enter")
    await until(pilot, lambda: ">>> s.set('a', 1)" in app.transcript)
    await pilot.press(*"system.l", "tab")
    assert app.seen.console.prompt.value == "system.listMethods("
    await pilot.press("escape", "question_mark")
    await until(pilot, lambda: isinstance(app.screen, Help), "help")
    text = "\n".join(str(each.content) for each in app.screen.query(Static))
    assert "set(string, any) -> nil" in text
    assert "Store a value under a name." in text


@played(first="tcp")
async def test_where_a_server_tells_nothing_tab_asks_nothing(app: StagedApp, pilot: Pilot[None]) -> None:
    await until(pilot, lambda: app.seen.completion.operations, "the topic's client is known")
    await pilot.press(*"xyz", "tab")
    assert app.seen.completion.ask is None
    assert app.seen.lab.current is None
