"""Pictures of the app, looked at before they were committed. Real labs stand behind them."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from netlab.lab.state import Phase
from netlab.ui.tab.status import Banner
from tests.support.screen.staging import StagedApp, enter, serving, settled
from tests.support.waiting import until

WIDE, NARROW = (120, 40), (80, 24)
Compare = Callable[..., bool]

sizes = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["120x40", "80x24"])
pytestmark = pytest.mark.usefixtures("staged_times")


async def first_paint(pilot: Pilot[None]) -> None:
    await serving(pilot)
    await settled(pilot)


async def one_echo(pilot: Pilot[None]) -> None:
    app = await serving(pilot)
    await enter(pilot, "Hello")
    await until(pilot, lambda: "b'Hello'" in app.transcript.splitlines())
    await until(pilot, lambda: app.seen.lab.state.accounts.to_client == 5)
    await until(pilot, lambda: "accepted" in app.seen.log_pane.text, "the log")
    await until(pilot, lambda: app.seen.wire.highlighted is not None and app.seen.wire.highlighted.number == 3)
    await settled(pilot)


async def second_client_waits(pilot: Pilot[None]) -> None:
    await one_echo(pilot)
    app = await serving(pilot)
    await enter(pilot, ":connect")
    await until(pilot, lambda: len(app.seen.lab.sessions) == 2 and app.seen.lab.sessions[1].connected)
    await enter(pilot, "World")
    await until(pilot, lambda: "in the accept queue" in app.seen.console.waiting)
    await until(pilot, lambda: app.seen.lab.state.queue == 1)
    await settled(pilot)


async def helped(pilot: Pilot[None]) -> None:
    await serving(pilot)
    await settled(pilot)
    await pilot.press("f1")
    await pilot.pause()


async def model_asked(pilot: Pilot[None]) -> None:
    await one_echo(pilot)
    await pilot.press("escape", "m")
    await pilot.pause()


async def where_they_stand(pilot: Pilot[None]) -> None:
    await second_client_waits(pilot)
    app = await serving(pilot)
    await pilot.press("escape", "v")
    await until(pilot, lambda: app.seen.panes.reader is not None and app.seen.panes.reader.has_focus)
    await until(pilot, lambda: "← client 1 ░ client 2" in drawn(app), "both clients stand there")
    await until(pilot, lambda: "where" in drawn(app), "the footer knows it, too")
    await pilot.pause()


def drawn(app: StagedApp) -> str:
    return app.export_screenshot().replace("&#160;", " ")


def compared(snap_compare: Compare, size: tuple[int, int], play: Callable[..., Awaitable[None]], **staged: Any) -> bool:
    app = StagedApp(**staged)
    return snap_compare(app, terminal_size=size, run_before=play)


@sizes
def test_first_paint(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert compared(snap_compare, size, first_paint)


@sizes
def test_after_one_echo(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert compared(snap_compare, size, one_echo)


@sizes
def test_second_client_waits(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert compared(snap_compare, size, second_client_waits)


@sizes
def test_where_the_server_stands(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert compared(snap_compare, size, where_they_stand)


@sizes
def test_help(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert compared(snap_compare, size, helped)


@sizes
def test_model_asked(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert compared(snap_compare, size, model_asked)


@sizes
def test_port_in_use(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def failed(pilot: Pilot[None]) -> None:
        app = await serving(pilot)
        await until(pilot, lambda: app.seen.lab.state.phase is Phase.FAILED)
        await until(pilot, lambda: app.seen.query_one(Banner).has_class("-shown"), "the banner")
        await settled(pilot)

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert compared(snap_compare, size, failed, port=taken.getsockname()[1])


def test_light_theme(snap_compare: Compare) -> None:
    from netlab.ui.keys.keymap import Config

    assert compared(snap_compare, WIDE, one_echo, config=Config(theme="textual-light"))
