"""Experiments for tests of the screen: one that waits until the test lets it go on, and one about quoted code."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from netlab.capture.model import Kind
from netlab.topics.experiment import Experiment, Trial
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

    def run(trial: Trial) -> None:
        bench = trial.lab("single")
        trial.step("The first client says Hello, reads the echo, and stays.")
        first = bench.connect()
        first.call("send", b"Hello")
        first.call("recv", 8192)
        trial.step("A second client connects and says Hello too.")
        second = bench.connect()
        second.call("send", b"Hello")
        second.begin("recv", 8192)
        trial.expect("its connect and its send succeed, and it waits in the accept queue", lambda: bench.queue == 1)
        trial.expect("it has no echo until the first client leaves", gate.is_set, 60)
        trial.step("The first client leaves.")
        first.close()
        trial.expect("now the second one has its echo", lambda: second.outcome == b"Hello")
        trial.expect("the server has closed the first", lambda: any("closed" in line for line in bench.log()))
        trial.show_lanes(bench)
        second.close()
        trial.expect("it leaves too", lambda: [each.kind for each in bench.segments()].count(Kind.FIN) == 4)
        bench = trial.lab("threading")
        trial.step("Under threading there is a thread for each.")
        third = bench.connect()
        third.call("send", b"Hello")
        third.call("recv", 8192)
        trial.expect("a client has one", lambda: bench.threads == 2)

    asked = "A server serves one client at a time. What does a second client see?"
    return Experiment("second-client", asked, PREDICTIONS, 2, WHY, run)


def _three_times(trial: Trial) -> None:
    trial.lab()
    trial.step("Run the quoted code.")
    trial.expect("it says what three times three is", lambda: trial.run_quoted("print(3 * 3)").output == "9\n")


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
