"""Who is dropped for silence: shown in the title, the status line and the transcript, current client or not."""

from __future__ import annotations

from textual.pilot import Pilot

from netlab.ui.tab.status import StatusLine, facts
from tests.support.screen.staging import StagedApp, enter, played
from tests.support.waiting import until


@played()
async def test_all_who_are_dropped_are_shown_as_closed_with_the_reason(app: StagedApp, pilot: Pilot[None]) -> None:
    assert app.seen.lab.idle == 600
    await enter(pilot, ":model threading")
    await until(pilot, lambda: app.seen.lab.state.model == "threading", "the model")
    await enter(pilot, ":idle 1s")
    await until(pilot, lambda: app.seen.lab.idle == 1, "the limit")
    await enter(pilot, ":connect a")
    await enter(pilot, ":connect b")
    console, status = app.seen.console, app.seen.query_one(StatusLine)
    await until(pilot, lambda: "# dropped by the server: silent for 1 s" in app.transcript, "the reason")
    await until(pilot, lambda: str(console.border_title).count("✕") == 2, "both in the title")

    def says_none() -> bool:
        state = status.state
        return state is not None and any("0 clients" in part.forms for part in facts(state, app.seen.formatting))

    await until(pilot, says_none, "nobody is served")
    await enter(pilot, ":use a")
    await until(pilot, lambda: app.seen.lab.current is app.seen.lab.sessions[0], "the other one")
    await until(pilot, lambda: "# dropped by the server: silent for 1 s" in app.transcript, "its reason")
