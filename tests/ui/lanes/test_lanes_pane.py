"""The swim lanes of a real lab: live, frozen, under two models."""

from __future__ import annotations

from textual.pilot import Pilot

from netlab.lab.experiments.swim_lanes import LanePhase
from netlab.lab.experiments.swim_lanes_text import GLYPHS
from netlab.ui.lanes.lanes_pane import LanesPane
from tests.support.screen.staging import StagedApp, enter, played
from tests.support.waiting import until

QUEUED, SERVED, CLOSED = (GLYPHS[phase] for phase in (LanePhase.QUEUED, LanePhase.SERVED, LanePhase.CLOSED))


def pane(app: StagedApp) -> LanesPane:
    return app.query_one(LanesPane)


async def shown(app: StagedApp, pilot: Pilot[None]) -> LanesPane:
    await pilot.press("escape")
    await until(pilot, lambda: app.focused is not app.seen.console.prompt)
    await pilot.press("p")
    await until(pilot, lambda: app.query(LanesPane) and pane(app).has_focus, "the pane")
    return pane(app)


def row(app: StagedApp, name: str) -> str:
    return next((row for row in pane(app).text.split("\n") if row.startswith(name)), "")


@played()
async def test_the_second_client_of_single_waits_until_the_first_has_left(app: StagedApp, pilot: Pilot[None]) -> None:
    lanes = await shown(app, pilot)
    await until(pilot, lambda: "No client yet" in lanes.text, "no client")
    await enter_both(app, pilot)
    await until(pilot, lambda: QUEUED in row(app, "client 2") and "waits" in row(app, "client 2"), "it waits")
    await until(pilot, lambda: SERVED in row(app, "client 1"), "the first is served")
    await enter(pilot, ":use 1")
    await enter(pilot, ":close")
    await until(pilot, lambda: CLOSED in row(app, "client 1"), "the first has left")
    await until(pilot, lambda: SERVED in row(app, "client 2") and "waited" in row(app, "client 2"), "it is served")


async def enter_both(app: StagedApp, pilot: Pilot[None]) -> None:
    await pilot.press("colon")
    await until(pilot, lambda: app.focused is app.seen.console.prompt)
    await enter(pilot, "Hello")
    await until(pilot, lambda: app.seen.lab.state.accounts.to_client, "the echo")
    await enter(pilot, ":connect")
    await until(pilot, lambda: len(app.seen.lab.sessions) == 2)
    await enter(pilot, "World")


@played()
async def test_a_frozen_picture_stays_and_the_space_bar_goes_on(app: StagedApp, pilot: Pilot[None]) -> None:
    lanes = await shown(app, pilot)
    await until(pilot, lambda: "No client yet" in lanes.text, "no client")
    await pilot.press("space")
    before = lanes.text
    await enter_both(app, pilot)
    await until(pilot, lambda: app.seen.lab.state.queue == 1)
    assert (lanes.frozen, lanes.text) == (True, before)
    lanes.focus()
    await pilot.pause()
    await pilot.press("space")
    await until(pilot, lambda: QUEUED in row(app, "client 2"), "it goes on")
    columns = lanes.picture.columns
    await pilot.press("equals_sign")
    assert lanes.picture.total == 2 * columns
    await pilot.press("left", "minus")
    assert lanes.picture.total == columns
    await pilot.press("escape")
    await until(pilot, lambda: not app.query(LanesPane), "put away")


@played()
async def test_two_models_stand_side_by_side_and_above_each_other_in_little_room(
    app: StagedApp, pilot: Pilot[None]
) -> None:
    await enter(pilot, "Hello")
    await until(pilot, lambda: app.seen.lab.state.accounts.to_client, "the echo")
    await enter(pilot, ":model threading")
    await until(pilot, lambda: app.seen.lab.state.model == "threading")
    await enter(pilot, ":connect")
    await until(pilot, lambda: app.seen.lab.state.accounts.flows == 2)
    lanes = await shown(app, pilot)
    await until(pilot, lambda: len(lanes.picture.boards) == 2, "both")
    assert [board.title for board in lanes.picture.boards] == ["single", "threading"]

    def named() -> bool:
        first, second, *_ = lanes.text.split("\n")
        heads = first.startswith("single") and "│ threading" in first
        return heads and second.startswith("1 ") and "│ 2 " in second and SERVED in second

    await until(pilot, named, "the names of both, under their models")
    await pilot.resize_terminal(90, 40)
    await until(pilot, lambda: "│" not in lanes.text, "above each other")
    assert [row for row in lanes.text.split("\n") if row in ("single", "threading")] == ["single", "threading"]


@played(size=(80, 24))
async def test_the_newest_clients_are_in_view_until_the_person_scrolls_up(app: StagedApp, pilot: Pilot[None]) -> None:
    lanes = await shown(app, pilot)
    connected = 0

    async def more(count: int) -> None:
        nonlocal connected
        for _ in range(count):
            app.seen.lab.connect()
        connected += count
        await until(pilot, lambda: len(lanes.picture.boards[-1].lanes) == connected)
        await pilot.pause()

    def in_view() -> str:
        return "\n".join(lanes.render_line(y).text for y in range(lanes.size.height))

    await more(20)
    await until(pilot, lambda: lanes.max_scroll_y > 0, "more than fit")
    await until(pilot, lambda: "client 20 " in in_view(), "the newest")
    await pilot.press("up", "up")
    await until(pilot, lambda: "client 20 " not in in_view(), "scrolled up")
    await more(2)
    assert "client 22 " not in in_view()
    await pilot.press("end")
    await until(pilot, lambda: "client 22 " in in_view(), "at the end")
    await more(2)
    await until(pilot, lambda: "client 24 " in in_view(), "followed again")


@played()
async def test_an_experiment_begins_at_zero_whatever_was_there_before(app: StagedApp, pilot: Pilot[None]) -> None:
    await enter(pilot, "Hello")
    await until(pilot, lambda: app.seen.lab.state.accounts.to_client, "the echo")
    lanes = await shown(app, pilot)
    app.seen.experiments_and_lanes.run(
        next(each for each in app.seen.experiments_and_lanes.experiments if each.name == "two-models")
    )
    await until(pilot, lambda: not app.seen.live.running, "the experiment")
    shown_lanes = [[1], [4, 4]]
    await until(
        pilot, lambda: [[len(b.lanes) for b in run.boards] for run in lanes._runs] == shown_lanes, "all of its run"
    )
    mine, run = lanes._runs
    assert mine.name == ""
    assert (run.name, [board.title for board in run.boards]) == ("two-models", ["single", "threading"])
    assert "── two-models ──" in lanes.text


@played()
async def test_it_repaints_nothing_while_nothing_changes(app: StagedApp, pilot: Pilot[None]) -> None:
    lanes = await shown(app, pilot)
    painted = []
    lanes.refresh = lambda *regions, **how: painted.append(regions) or lanes  # type: ignore[method-assign,assignment,func-returns-value]
    for _ in range(5):
        lanes._next = 0
        lanes.look()
    assert painted == []
