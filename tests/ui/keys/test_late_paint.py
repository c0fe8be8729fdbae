"""What keys cost: while others wait the screen is painted seldom, and a focus that moves lays and paints no more."""

from __future__ import annotations

import asyncio

import pytest
from textual import events
from textual.app import ComposeResult
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget

from netlab.ui.keys import late_paint
from netlab.ui.keys.footer import KeyFooter
from netlab.ui.keys.late_paint import LateModal
from netlab.ui.keys.type_ahead import TypeAhead
from tests.support.screen.staging import StagedApp, played, settled
from tests.support.waiting import until


class Number(Widget):
    """Shows a number, and counts how often it was painted."""

    shown, painted = 0, 0

    def render(self) -> str:
        self.painted += 1
        return str(self.shown)

    def show(self, number: int) -> None:
        self.shown = number
        self.refresh()


class Modal(LateModal[None]):
    def compose(self) -> ComposeResult:
        yield Number()


class NumberApp(TypeAhead):
    def compose(self) -> ComposeResult:
        yield Number()
        yield KeyFooter()


async def paints(app: NumberApp, pilot: Pilot[None], screen: Screen[object]) -> tuple[int, int, int]:
    """How often 20 changes are painted: while no key waits, while one does, and once it has had its turn."""
    number, counts = screen.query_one(Number), list[int]()

    async def change() -> None:
        before = number.painted
        for new in range(20):
            number.show(new)
            await pilot.pause()
        counts.append(number.painted - before)

    await change()
    step = app.begin_step()
    app.post_message(events.Key("z", "z"))
    await until(pilot, lambda: app.waiting_keys == 1)
    number.show(-1)  # the first is painted at once
    await pilot.pause()
    await change()
    before = number.painted
    step.end()
    await until(pilot, lambda: not app.waiting_keys and number.painted > before, "what is new is painted")
    return counts[0], counts[1], number.painted - before


@pytest.mark.parametrize("modal", [False, True])
def test_while_keys_wait_the_screen_is_painted_seldom_and_then_as_it_is(
    modal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(late_paint, "SELDOM", 1000.0)

    async def run() -> None:
        app = NumberApp()
        async with app.run_test() as pilot:
            if modal:
                await app.push_screen(Modal())
            free, waiting, after = await paints(app, pilot, app.screen)
            assert free >= 10 and waiting == 0 and after >= 1

    asyncio.run(run())


@played(size=(120, 40))
async def test_a_focus_that_moves_lays_nothing_out(app: StagedApp, pilot: Pilot[None]) -> None:
    laid_out, refreshed = list[object](), list[object]()

    async def to_the_next() -> None:
        before = app.focused
        await pilot.press("tab")
        await until(pilot, lambda: app.focused is not before)
        await pilot.pause()

    async def once_around() -> None:
        begun = app.focused
        await to_the_next()
        while app.focused is not begun:
            await to_the_next()

    await settled(pilot)  # what the lab tells late lays out what shows it
    await once_around()  # each scrollbar gets its styles when it is first seen
    app.screen.screen_layout_refresh_signal.subscribe(app.seen.panes, laid_out.append)
    with pytest.MonkeyPatch.context() as patch:
        for whole in (app.screen, app.seen.panes):
            patch.setattr(whole, "refresh", lambda *regions, **what: refreshed.append(regions))
        await once_around()
    assert not laid_out and not refreshed, "it paints what it changes"


@played(size=(80, 24))
async def test_a_focus_that_has_moved_on_does_not_bring_back_its_pane(app: StagedApp, pilot: Pilot[None]) -> None:
    app.seen.panes.go("bytes")
    await until(pilot, lambda: app.focused is app.seen.inspector.bytes, "the bytes have the focus")
    app.seen.panes.post_message(events.DescendantFocus(app.seen.wire._list))  # from before
    await pilot.pause()
    assert app.seen.panes.beside == "bytes"
