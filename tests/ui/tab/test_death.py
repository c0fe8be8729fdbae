"""A server that dies is told with its last words, and a key starts it again."""

from __future__ import annotations

import os
import signal

from textual.pilot import Pilot

from netlab.lab.state import Phase
from netlab.ui.tab.status import Banner
from tests.support.screen.staging import StagedApp, enter, played
from tests.support.waiting import until


@played()
async def test_a_server_that_is_killed_is_told_once_and_started_by_a_key(app: StagedApp, pilot: Pilot[None]) -> None:
    await enter(pilot, "Hello")
    await until(pilot, lambda: "b'Hello'" in app.transcript.splitlines(), "the answer")
    pid = app.seen.lab.state.server_pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    banner = app.seen.query_one(Banner)
    await until(pilot, lambda: banner.has_class("-shown"), "a banner")
    told = banner.render().plain
    assert "✗ The server died: it was killed by signal 9" in told
    assert told.count("died") == 1
    assert told.count("start") == 2  # ":start starts it again", and no second advice
    await until(pilot, lambda: "closed by server" in str(app.seen.console.border_title), "the client knows")
    await pilot.press("escape", "s")
    await until(pilot, lambda: app.seen.lab.state.phase is Phase.SERVING, "serving again")
    await until(pilot, lambda: not banner.has_class("-shown"), "all is well")
