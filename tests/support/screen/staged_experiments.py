"""Experiments for tests of the screen: one that waits until the test lets it go on, and one about quoted code."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from netlab.capture.model import Kind
from netlab.topics.experiment import Experiment, Runner
from netlab.ui.experiments.experiment_pane import ExperimentPane, Stage
from tests.support.screen.staging import StagedApp
from tests.support.waiting import until

PREDICTIONS = (
    "Its connect is refused, since the server is busy.",
    "Its connect hangs until the first client leaves.",
    "Connect and send succeed at once, and no answer comes until the first client leaves.",
)
WHY = (
    "The kernel completes the handshake, takes the bytes, and keeps the client in the accept queue until the program "
    "calls accept()."
)


def second_client(gate: threading.Event) -> Experiment:
    """The second client waits, until the gate is open."""

    def run(runner: Runner) -> None:
        lab = runner.lab("single")
        runner.step("The first client says Hello, reads the echo, and stays.")
        first = lab.connect()
        first.call("send", b"Hello")
        first.call("recv", 8192)
        runner.step("A second client connects and says Hello too.")
        second = lab.connect()
        second.call("send", b"Hello")
        second.begin("recv", 8192)
        runner.expect("its connect and its send succeed, and it waits in the accept queue", lambda: lab.queue == 1)
        runner.expect("it has no echo until the first client leaves", gate.is_set, 60)
        runner.step("The first client leaves.")
        first.close()
        runner.expect("now the second one has its echo", lambda: second.outcome == b"Hello")
        runner.expect("the server has closed the first", lambda: any(event.ends for event in lab.events()))
        runner.show_lanes(lab)
        second.close()
        runner.expect("it leaves too", lambda: [each.kind for each in lab.segments()].count(Kind.FIN) == 4)
        lab = runner.lab("threading")
        runner.step("Under threading there is a thread for each.")
        third = lab.connect()
        third.call("send", b"Hello")
        third.call("recv", 8192)
        runner.expect("a client has one", lambda: lab.threads == 2)

    asked = "A server serves one client at a time. What does a second client see?"
    return Experiment("second-client", asked, PREDICTIONS, 2, WHY, run)


def _three_times(runner: Runner) -> None:
    runner.lab()
    runner.step("Run the quoted code.")
    runner.expect("it says what three times three is", lambda: runner.run_in_sandbox("print(3 * 3)").output == "9\n")


QUOTED = Experiment(
    "quoted", "What is 3 * 3?", ("8", "9"), 1, "Count.", _three_times, "print(3 + 3)\n", "print(3 * 3)\n"
)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """TCP has two experiments, of which the first waits for this."""
    opens = threading.Event()
    monkeypatch.setattr("netlab.topics.tcp.experiments.EXPERIMENTS", (second_client(opens), QUOTED))
    return opens


def pane(app: StagedApp) -> ExperimentPane:
    return app.query_one(ExperimentPane)


async def opened(app: StagedApp, pilot: Pilot[None], *keys: str) -> ExperimentPane:
    """The list, and then these keys."""
    await until(pilot, lambda: app.experiments, "the experiments")
    await pilot.press("escape")
    await until(pilot, lambda: app.focused is not app.seen.console.prompt, "out of the console")
    await pilot.press("e")
    await until(pilot, lambda: app.query(ExperimentPane) and pane(app).has_focus, "the pane")
    await pilot.press(*keys)
    return pane(app)


def at(stage: Stage, app: StagedApp) -> Callable[[], bool]:
    return lambda: pane(app).stage is stage


async def waiting(app: StagedApp, pilot: Pilot[None], *keys: str) -> ExperimentPane:
    """The first one, started with these keys, where it waits for the gate."""
    shown = await opened(app, pilot, "1", *keys)
    await until(pilot, lambda: "◔ it has no echo" in shown.text, "it waits")
    return shown
