"""Experiments on real labs: fresh ones, and one that somebody has running already."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from netlab.capture.model import Direction
from netlab.lab.experiments.labs import FreshLabs, LabBench, OwnLab
from netlab.lab.experiments.run_events import Expected, LanesShown, Opened, Outcome, Stepped
from netlab.lab.experiments.runner import perform
from netlab.lab.lab import Lab
from netlab.lab.state import Phase
from netlab.topics.discovery import topic_named
from netlab.topics.experiment import Bench, Trial, payload
from tests.support.scripted_lab import Told, experiment
from tests.support.waiting import wait_until

TCP, UDP = topic_named("tcp"), topic_named("udp")


@pytest.fixture
def tab() -> Iterator[Lab]:
    """A lab as a tab has it."""
    with Lab("tcp", model="threading", notify=lambda event: None) as lab:
        yield lab


def says_hello(bench: Bench) -> None:
    client = bench.connect()
    client.call("send", b"Hello")
    assert client.call("recv", 8192) == b"Hello"


def test_a_bench_that_has_ended_can_still_be_read() -> None:
    benches: list[Bench] = []

    def run(trial: Trial) -> None:
        for model in ("single", "threading"):
            bench = trial.lab(model)
            says_hello(bench)
            benches.append(bench)
        trial.expect("the first", lambda: payload(benches[0].segments(), Direction.TO_CLIENT) == b"Hello")
        trial.expect("its log", lambda: benches[0].log()[0].startswith("accepted"))
        trial.show_lanes(*benches)

    told = Told()
    assert perform(experiment(run), FreshLabs(TCP), told).outcome is Outcome.SEEN
    (shown,) = [each for each in told.happened if isinstance(each, LanesShown)]
    assert [board.title for board in shown.boards] == ["single", "threading"]
    assert [[lane.name for lane in board.lanes] for board in shown.boards] == [["client 1"], ["client 1"]]
    assert all(lane.accepted is not None for board in shown.boards for lane in board.lanes)


def test_fresh_labs_end_with_the_trial() -> None:
    labs: list[Lab] = []

    def run(trial: Trial) -> None:
        bench = trial.lab()
        assert isinstance(bench, LabBench)
        labs.append(bench.lab)
        raise RuntimeError("in the middle")

    assert perform(experiment(run), FreshLabs(TCP), Told()).outcome is Outcome.FAILED
    assert labs[0].state.phase is Phase.STOPPED
    assert labs[0].state.server_pid is None


def test_a_stop_is_heard_while_a_call_waits() -> None:
    stop, waits = threading.Event(), threading.Event()

    def run(trial: Trial) -> None:
        client = trial.lab().connect()
        waits.set()
        client.call("recv", 8192)

    verdicts: list[Outcome] = []
    benches = FreshLabs(TCP)
    thread = threading.Thread(
        target=lambda: verdicts.append(perform(experiment(run), benches, Told(), stop).outcome), daemon=True
    )
    thread.start()
    assert waits.wait(20)
    stop.set()
    thread.join(10)
    assert verdicts == [Outcome.STOPPED]


def test_a_refused_call_is_raised_and_a_begun_one_is_an_outcome() -> None:
    def run(trial: Trial) -> None:
        client = trial.lab().connect()
        with pytest.raises(TypeError):
            client.call("send", "text")
        client.begin("send", "text")
        trial.expect("a TypeError", lambda: isinstance(client.outcome, TypeError))
        client.close()
        client.close()
        trial.expect("no address", lambda: client.local is None)

    assert perform(experiment(run), FreshLabs(TCP), Told()).outcome is Outcome.SEEN


def test_a_plain_socket_reaches_the_server() -> None:
    def tcp(trial: Trial) -> None:
        plain = trial.lab().dial()
        plain.sendall(b"plain")
        trial.expect("an echo", lambda: plain.recv(100) == b"plain")

    def udp(trial: Trial) -> None:
        plain = trial.lab().dial()
        plain.send(b"time 7")
        trial.expect("an answer", lambda: plain.recv(100).startswith(b"7 "))

    assert perform(experiment(tcp), FreshLabs(TCP), Told()).outcome is Outcome.SEEN
    assert perform(experiment(udp), FreshLabs(UDP), Told()).outcome is Outcome.SEEN


def test_a_client_has_the_options_of_its_own() -> None:
    def run(trial: Trial) -> None:
        bench = trial.lab()
        bench.fault("loss ->")
        client = bench.connect(timeout=0.2)
        client.begin("ask")
        trial.expect("its own timeout", lambda: "asked 4 times in 0.2 s" in str(client.outcome))
        trial.expect("its own words", lambda: any("asking again" in note for note in client.notes()))

    assert perform(experiment(run), FreshLabs(UDP), Told()).outcome is Outcome.SEEN


def test_the_tabs_own_lab_shows_the_run_and_is_as_it_was_afterwards(tab: Lab) -> None:
    tab.wire.fault("delay 1ms")
    before, address = tab.state.faults, tab.address
    says_hello_by_hand(tab)

    def run(trial: Trial) -> None:
        bench = trial.lab("single")
        trial.step("Hello.")
        says_hello(bench)
        trial.expect("only what this run sent", lambda: len(bench.log()) == 1)
        trial.expect("on the wire too", lambda: payload(bench.segments(), Direction.TO_SERVER) == b"Hello")
        trial.expect("the tab's address", lambda: bench.address == address)
        trial.expect("the model", lambda: tab.state.model == "single")
        bench.fault("slice 1")
        trial.expect("the faults", lambda: tab.state.faults == ("slice 1",))

    benches, told = OwnLab(tab), Told()
    verdict = perform(experiment(run), benches, told)
    assert verdict.outcome is Outcome.SEEN, told.happened
    assert (tab.state.model, tab.state.faults, tab.state.phase) == ("threading", before, Phase.SERVING)
    assert not tab.sessions[1].connected
    assert any("Hello" in entry.text for entry in tab.sessions[1].transcript)
    perform(experiment(run), benches, Told())
    assert len(tab.sessions) == 2  # those of the run before have gone


def says_hello_by_hand(tab: Lab) -> None:
    client = tab.connect()
    client.send(b"by hand")
    client.recv(100)
    wait_until(lambda: len(tab.log) == 1)


def test_a_tab_that_was_stopped_is_stopped_again(tab: Lab) -> None:
    tab.stop()
    perform(experiment(lambda trial: says_hello(trial.lab("single"))), OwnLab(tab), Told())
    assert (tab.state.model, tab.state.phase) == ("threading", Phase.STOPPED)


def test_a_tabs_lab_is_as_it_was_after_a_stop(tab: Lab) -> None:
    stop = threading.Event()

    def run(trial: Trial) -> None:
        trial.lab("single")
        stop.set()
        trial.step("Never.")

    told = Told()
    assert perform(experiment(run), OwnLab(tab), told, stop).outcome is Outcome.STOPPED
    assert [type(each) for each in told.happened[:-1]] == [Opened]
    assert not any(isinstance(each, Stepped | Expected) for each in told.happened)
    assert tab.state.model == "threading"
