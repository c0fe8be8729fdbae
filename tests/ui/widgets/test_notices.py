"""Notifications leave in view what they are about."""

from __future__ import annotations

import asyncio

import pytest
from textual.geometry import Region
from textual.widgets._toast import Toast

from netlab.ui.widgets.chooser import Chooser
from tests.support.screen.staging import StagedApp, said_hello, serving
from tests.support.waiting import until


def toasts(app: StagedApp) -> list[Region]:
    """Where notifications are on the screen."""
    return [place.region for widget, place in app.screen._compositor.full_map.items() if isinstance(widget, Toast)]


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
def test_what_is_said_of_a_copy_does_not_cover_it(size: tuple[int, int]) -> None:
    async def play() -> None:
        app = StagedApp()
        async with app.run_test(size=size, notifications=True) as pilot:
            await serving(pilot)
            await said_hello(app, pilot)
            app.seen.panes.go("bytes")
            await until(pilot, lambda: app.focused is app.seen.inspector.bytes, "the bytes have the focus")
            await pilot.press("y")
            await until(pilot, lambda: isinstance(app.screen, Chooser), "the forms")
            await pilot.press("enter")
            await until(pilot, lambda: toasts(app), "it is said")
            said = toasts(app)[0]
            copied = [app.seen.inspector.bytes.region, app.seen.console.transcript.region]
            assert said.height <= 2 and not any(said.overlaps(region) for region in copied)
            assert app.clipboard == "48 65 6c 6c 6f"

    asyncio.run(play())
