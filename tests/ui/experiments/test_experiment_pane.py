"""Experiments in the tab: chosen and predicted by keyboard, run on the tab's own lab, stopped, run again."""

from __future__ import annotations

import threading
import time

import pytest
from textual.pilot import Pilot

from netlab.lab.experiments.run_events import RunOutcome
from netlab.lab.state import Phase
from netlab.ui.experiments.experiment_pane import ExperimentPane, Stage
from netlab.ui.keys.footer import KeyFooter
from netlab.ui.reader.reader import ReaderPane
from tests.support.screen.staged_experiments import at, gate, opened, pane, waiting
from tests.support.screen.staging import StagedApp, enter, played
from tests.support.waiting import until

__all__ = ["gate"]


def test_every_expectation_is_ticked_while_the_panes_move(gate: threading.Event) -> None:
    @played()
    async def script(app: StagedApp, pilot: Pilot[None]) -> None:
        shown = await waiting(app, pilot, "3")
        assert shown.text.count("✓") == 1
        assert "✓ its connect and its send succeed" in shown.text
        assert "You predict: Connect and send succeed at once" in shown.text
        assert app.seen.lab.state.queue == 1
        await until(pilot, lambda: "accepted" in app.seen.log_pane.text, "the log")  # waits for whom it names
        await until(pilot, lambda: app.seen.wire.highlighted is not None, "a segment")
        await until(pilot, lambda: ">>> s.recv(8192)" in app.transcript, "the call that waits")
        gate.set()
        await until(pilot, at(Stage.DONE, app), "it ended")
        assert shown.text.count("✓") == 6 + 2, "each expectation, the verdict, the prediction"
        assert "All 6 checks passed" in shown.text
        assert "✓ You were right: 3 Connect and send" in shown.text
        assert "✗" not in shown.text
        assert shown.outcome is RunOutcome.SEEN

    script()


def test_ctrl_c_stops_and_the_lab_is_as_before(gate: threading.Event) -> None:
    @played()
    async def script(app: StagedApp, pilot: Pilot[None]) -> None:
        await enter(pilot, ":model threading")
        await until(pilot, lambda: app.seen.lab.state.model == "threading")
        shown = await waiting(app, pilot, "0")
        assert app.seen.lab.state.model == "single"
        assert app.seen.actions.offers("choose_model") is None
        await pilot.press("ctrl+c")
        await until(pilot, at(Stage.DONE, app), "it stopped")
        assert "■ stopped" in shown.text
        assert "You predict" not in shown.text
        assert app.seen.lab.state.model == "threading"
        assert app.seen.lab.state.phase is Phase.SERVING
        assert not any(session.connected for session in app.seen.lab.sessions)

    script()


def test_esc_leaves_a_run_and_ctrl_c_stops_it_from_anywhere(gate: threading.Event) -> None:
    @played()
    async def script(app: StagedApp, pilot: Pilot[None]) -> None:
        await waiting(app, pilot, "1")
        await pilot.press("escape")
        await until(pilot, lambda: app.seen.panes.pane_of(app.focused) == "wire")
        assert app.seen.live.running
        await pilot.press("ctrl+c")
        await until(pilot, at(Stage.DONE, app), "it stopped")

    script()


def test_it_can_be_run_again_and_the_next_one_asked(gate: threading.Event) -> None:
    @played()
    async def script(app: StagedApp, pilot: Pilot[None]) -> None:
        gate.set()
        shown = await opened(app, pilot, "enter", "down", "enter")
        await until(pilot, at(Stage.DONE, app), "it ended")
        assert "✗ You predicted: 2 Its connect hangs" in shown.text
        before = app.seen.live.run
        await pilot.press("r")
        await until(pilot, lambda: app.seen.live.run is not before, "it runs again")
        await until(pilot, at(Stage.DONE, app), "it ended again")
        await pilot.press("n")
        await until(pilot, at(Stage.QUESTION, app), "the next question")
        assert shown.experiment is not None and shown.experiment.name == "quoted"
        await pilot.press("escape")
        await until(pilot, at(Stage.LIST, app), "the list")
        assert "1 second-client ✓" in shown.text
        await pilot.press("escape")
        await until(pilot, lambda: not app.query(ExperimentPane), "closed")
        await until(pilot, lambda: app.seen.panes.pane_of(app.focused) == "wire")

    script()


def test_quoted_code_is_read_beside_the_repaired(gate: threading.Event) -> None:
    @played()
    async def script(app: StagedApp, pilot: Pilot[None]) -> None:
        await opened(app, pilot, "2", "2")
        await until(pilot, at(Stage.DONE, app), "it ended")
        await pilot.press("v")
        await until(pilot, lambda: app.query(ReaderPane) and app.query_one(ReaderPane).has_focus, "the code")
        text = str(app.query_one("#reader > Static").visual)  # type: ignore[attr-defined]
        assert text.index("print(3 + 3)") < text.index("# Repaired.") < text.index("print(3 * 3)")
        await pilot.press("escape")
        await until(pilot, lambda: pane(app).has_focus, "back at the experiment")

    script()


def test_the_palette_opens_each(gate: threading.Event) -> None:
    @played()
    async def script(app: StagedApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: len(app.experiments) == 2)
        app.action_tab("open_experiment", "quoted")
        await until(pilot, lambda: app.query(ExperimentPane) and pane(app).stage is Stage.QUESTION)
        assert "What is 3 * 3?" in pane(app).text

    script()


def test_leaving_in_the_middle_is_quick_and_leaves_nothing(gate: threading.Event) -> None:
    left = []

    @played()
    async def script(app: StagedApp, pilot: Pilot[None]) -> None:
        await waiting(app, pilot, "1")
        live = app.seen.live
        began = time.monotonic()
        live.close()
        assert time.monotonic() - began < 5, "far below the minute that the experiment waits"
        assert not live.running
        left.append(live.lab.state.phase)

    script()
    assert left == [Phase.STOPPED]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("experiment")]


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
def test_nothing_is_cut_off(gate: threading.Event, size: tuple[int, int]) -> None:
    @played(size=size)
    async def script(app: StagedApp, pilot: Pilot[None]) -> None:
        gate.set()
        shown = await opened(app, pilot, "1", "1")
        await until(pilot, at(Stage.DONE, app), "it ended")
        await pilot.pause()
        room = shown.scrollable_content_region
        assert all(sum(len(part[1]) for part in row) <= room.width for row in shown._rows)
        assert room.height >= 10
        assert shown.virtual_size.height == len(shown._rows)

    script()


@played(first="udp")
async def test_udp_has_no_swim_lanes(app: StagedApp, pilot: Pilot[None]) -> None:
    assert app.seen.actions.offers("toggle_lanes") is False
    await pilot.press("escape", "p")
    await until(pilot, lambda: "no swim lanes: UDP has no connections" in str(app.query_one(KeyFooter).render()))
