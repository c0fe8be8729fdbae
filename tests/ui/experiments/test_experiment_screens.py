"""Pictures of experiments and swim lanes over real labs, looked at before they were committed."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from netlab.lab.state import Phase
from netlab.ui.experiments.experiment_pane import Stage
from netlab.ui.lanes.lanes_pane import LanesPane
from tests.support.screen.staged_experiments import at, gate, opened, waiting
from tests.support.screen.staging import StagedApp, enter, serving, settled
from tests.support.waiting import until

__all__ = ["gate"]

Compare = Callable[..., bool]
sizes = pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
pytestmark = pytest.mark.usefixtures("staged_times")


async def asked(pilot: Pilot[None]) -> None:
    await opened(await serving(pilot), pilot, "1", "down")
    await settled(pilot)


async def listed(pilot: Pilot[None]) -> None:
    await opened(await serving(pilot), pilot)
    await settled(pilot)


async def held(pilot: Pilot[None]) -> None:
    app = await serving(pilot)
    await waiting(app, pilot, "2")
    await until(pilot, lambda: app.seen.lab.state.queue == 1)
    await until(pilot, lambda: app.seen.console.query_one("#explained").has_class("-waiting"), "the call waits")
    await settled(pilot)


async def client(app: StagedApp, pilot: Pilot[None], number: int, served: bool) -> None:
    """One more client, which says Hello and has its echo if it is served."""
    await enter(pilot, f":connect client {number}")  # by name, or a client that has gone connects again
    await until(pilot, lambda: len(app.seen.lab.sessions) == number and app.seen.lab.sessions[-1].connected)
    await enter(pilot, "Hello")
    await until(pilot, lambda: app.seen.lab.state.accounts.to_server == 5 * number)
    await until(pilot, lambda: not served or app.seen.lab.state.accounts.to_client == 5 * number)
    await until(pilot, lambda: not served or "b'Hello'" in app.transcript.splitlines(), "its echo")
    await until(pilot, lambda: not served or app.seen.log_pane.text.count("accepted") == number, "the log")


async def three_clients(app: StagedApp, pilot: Pilot[None], first_leaves: bool) -> None:
    for number in (1, 2, 3):
        await client(app, pilot, number, number == 1 or not first_leaves)
    if first_leaves:
        await enter(pilot, ":close 1")
        await until(pilot, lambda: app.seen.lab.state.accounts.to_client == 10, "the second one is served")
        await until(pilot, lambda: app.seen.log_pane.text.count("accepted") == 2, "the log")
        await until(pilot, lambda: app.seen.console.waiting, "the third one waits")
    if app.seen.console.waiting:
        await pilot.press("ctrl+c")
    await until(pilot, lambda: not app.seen.console.waiting)
    await pilot.press("escape")
    await until(pilot, lambda: app.focused is not app.seen.console.prompt)
    await pilot.press("p")
    await until(pilot, lambda: app.query(LanesPane) and app.query_one(LanesPane).has_focus)
    await until(pilot, lambda: app.query_one(LanesPane).text.count("client") == 3)
    await settled(pilot)


async def under_single(pilot: Pilot[None]) -> None:
    await three_clients(await serving(pilot), pilot, True)


async def under_threading(pilot: Pilot[None]) -> None:
    app = await serving(pilot)
    await enter(pilot, ":model threading")
    await until(pilot, lambda: app.seen.lab.state.model == "threading")
    await three_clients(app, pilot, False)


async def under_both(pilot: Pilot[None]) -> None:
    """Two clients under single, of whom the second waits; then two under threading."""
    app = await serving(pilot)
    await client(app, pilot, 1, True)
    await client(app, pilot, 2, False)
    await enter(pilot, ":close 1")
    await until(pilot, lambda: app.seen.lab.state.accounts.to_client == 10, "the second one is served")
    await enter(pilot, ":close 2")  # or the server that goes logs its reset, or has no time to
    await until(pilot, lambda: not app.seen.lab.state.accounts.open_flows, "nobody is there any more")
    await until(pilot, lambda: app.seen.log_pane.text.count("closed") == 2, "the server has seen both go")
    await enter(pilot, ":model threading")
    await until(pilot, lambda: (app.seen.lab.state.model, app.seen.lab.state.phase) == ("threading", Phase.SERVING))
    await client(app, pilot, 3, True)
    await client(app, pilot, 4, True)
    await pilot.press("escape")
    await until(pilot, lambda: app.focused is not app.seen.console.prompt)
    await pilot.press("p")
    await until(pilot, lambda: app.query(LanesPane) and app.query_one(LanesPane).has_focus)
    await until(pilot, lambda: sum(len(board.lanes) for board in app.query_one(LanesPane).picture.boards) == 4)
    await settled(pilot)


@sizes
def test_listed(snap_compare: Compare, size: tuple[int, int], gate: threading.Event) -> None:
    assert snap_compare(StagedApp(), terminal_size=size, run_before=listed)


@sizes
def test_before(snap_compare: Compare, size: tuple[int, int], gate: threading.Event) -> None:
    assert snap_compare(StagedApp(), terminal_size=size, run_before=asked)


@sizes
def test_during(snap_compare: Compare, size: tuple[int, int], gate: threading.Event) -> None:
    assert snap_compare(StagedApp(), terminal_size=size, run_before=held)


@sizes
def test_after(snap_compare: Compare, size: tuple[int, int], gate: threading.Event) -> None:
    async def over(pilot: Pilot[None]) -> None:
        app = await serving(pilot)
        await waiting(app, pilot, "2")
        gate.set()
        await until(pilot, at(Stage.DONE, app), "it ended")
        await settled(pilot)

    assert snap_compare(StagedApp(), terminal_size=size, run_before=over)


@sizes
def test_lanes_under_single(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(StagedApp(), terminal_size=size, run_before=under_single)


@sizes
def test_lanes_under_threading(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(StagedApp(), terminal_size=size, run_before=under_threading)


@sizes
def test_lanes_under_two_models(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(StagedApp(), terminal_size=size, run_before=under_both)
