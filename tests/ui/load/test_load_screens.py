"""Pictures of the load pane with runs made by hand, each looked at before it was kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from netlab.ui.load.load_pane import LoadPane
from netlab.ui.load.load_request import LoadRequest
from netlab.ui.load.tab_loads import TabLoads
from tests.support.screen.staging import StagedApp, serving, settled
from tests.support.waiting import until
from tests.ui.load.made_runs import two_models

Compare = Callable[..., bool]


@pytest.mark.parametrize(("size", "keys"), [((120, 40), "t"), ((80, 24), "\\")], ids=["120x40", "80x24"])
def test_two_models_under_one_load(snap_compare: Compare, size: tuple[int, int], keys: str) -> None:
    async def play(pilot: Pilot[None]) -> None:
        app = await serving(pilot)
        loads = app.seen.live.loads = TabLoads(app.seen.lab)
        loads.add([(run, LoadRequest()) for run in two_models()])
        await pilot.press("escape", "W")
        await until(pilot, lambda: any(pane.has_focus_within for pane in app.query(LoadPane)), "the pane")
        await pilot.press("up" if keys == "\\" else "down", "backslash" if keys == "\\" else keys)
        await until(pilot, lambda: ("▸A" if keys == "\\" else "▸B") in app.query_one(LoadPane).text, "the runs")
        await settled(pilot)

    assert snap_compare(StagedApp(), terminal_size=size, run_before=play)
