"""Pictures of recorded flows in the tab: a pickle unfolded, and a digest that differs. Each was looked at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot

from netlab.ui.picture.picture_pane import PicturePane
from tests.support.screen.recorded_sessions import ReplayedApp
from tests.support.waiting import until
from tests.ui.tab.test_tab_screens import replayed

Compare = Callable[..., bool]
SIZES = pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])


def pictured(keys: str, text: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    """Open the picture, press keys, and wait for a text that is then there."""

    async def play(pilot: Pilot[None]) -> None:
        def shown() -> bool:
            return text in pilot.app.export_screenshot().replace("&#160;", " ")

        await replayed(pilot)
        await pilot.press("escape", "P")
        panes = pilot.app.query(PicturePane)
        await until(pilot, lambda: any(pane.view.has_focus and pane.view.rows.lines for pane in panes), "the picture")
        await pilot.press(*keys.split())
        await until(pilot, shown, text)

    return play


@SIZES
def test_the_steps_of_a_pickle(snap_compare: Compare, size: tuple[int, int]) -> None:
    play = pictured("end up up up space " + "down " * 9 + "space" + " down" * 3, "memo    0")
    assert snap_compare(ReplayedApp("multiprocessing", "default"), terminal_size=size, run_before=play)


@SIZES
def test_a_digest_beside_the_one_that_netlab_computes(snap_compare: Compare, size: tuple[int, int]) -> None:
    play = pictured("home", "differs at byte")
    assert snap_compare(ReplayedApp("hmac", "failure"), terminal_size=size, run_before=play)
