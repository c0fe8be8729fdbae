"""Experiments on real labs: fresh ones, and one that somebody has running already."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from netlab.capture.model import Direction
from netlab.lab.experiments.labs import FreshLabs, TabLab
from netlab.lab.experiments.observed_lab import ObservedLab
from netlab.lab.experiments.run_events import Expected, LabOpened, LanesShown, RunOutcome, Stepped
from netlab.lab.experiments.runner import perform
from netlab.lab.lab import Lab
from netlab.lab.state import Phase
from netlab.topics.discovery import topic_named
from netlab.topics.experiment import ExperimentLab, Runner, payload
from netlab.topics.peer_event import PeerEventKind
from tests.support.scripted_lab import Reported, experiment
from tests.support.waiting import wait_until

TCP, UDP = topic_named("tcp"), topic_named("udp")


@pytest.fixture
def tab() -> Iterator[Lab]:
    """A lab as a tab has it."""
    with Lab("tcp", model="threading", notify=lambda event: None) as lab:
        yield lab


def says_hello(lab: ExperimentLab) -> None:
    client = lab.connect()
    client.call("send", b"Hello")
    assert client.call("recv", 8192) == b"Hello"


def test_a_lab_that_has_ended_can_still_be_read() -> None:
    labs: list[ExperimentLab] = []

    def run(runner: Runner) -> None:
        for model in ("single", "threading"):
            lab = runner.lab(model)
            says_hello(lab)
            labs.append(lab)
        runner.expect("the first", lambda: payload(labs[0].segments(), Direction.TO_CLIENT) == b"Hello")
        runner.expect("its log", lambda: labs[0].events()[0].what is PeerEventKind.ACCEPTED)
        runner.show_lanes(*labs)

    told = Reported()
    assert perform(experiment(run), FreshLabs(TCP), told).outcome is RunOutcome.SEEN
    (shown,) = [each for each in told.happened if isinstance(each, LanesShown)]
    assert [board.title for board in shown.boards] == ["single", "threading"]
    assert [[lane.name for lane in board.lanes] for board in shown.boards] == [["client 1"], ["client 1"]]
    assert all(lane.accepted is not None for board in shown.boards for lane in board.lanes)


def test_fresh_labs_end_with_the_trial() -> None:
    labs: list[Lab] = []

    def run(runner: Runner) -> None:
        lab = runner.lab()
        assert isinstance(lab, ObservedLab)
        labs.append(lab.lab)
        raise RuntimeError("in the middle")

    assert perform(experiment(run), FreshLabs(TCP), Reported()).outcome is RunOutcome.FAILED
    assert labs[0].state.phase is Phase.STOPPED
    assert labs[0].state.server_pid is None


def test_a_stop_is_heard_while_a_call_waits() -> None:
    stop, waits = threading.Event(), threading.Event()

    def run(runner: Runner) -> None:
        client = runner.lab().connect()
        waits.set()
        client.call("recv", 8192)

    verdicts: list[RunOutcome] = []
    labs = FreshLabs(TCP)
    thread = threading.Thread(
        target=lambda: verdicts.append(perform(experiment(run), labs, Reported(), stop).outcome), daemon=True
    )
    thread.start()
    assert waits.wait(20)
    stop.set()
    thread.join(10)
    assert verdicts == [RunOutcome.STOPPED]


def test_a_refused_call_is_raised_and_a_begun_one_is_an_outcome() -> None:
    def run(runner: Runner) -> None:
        client = runner.lab().connect()
        with pytest.raises(TypeError):
            client.call("send", "text")
        client.begin("send", "text")
        runner.expect("a TypeError", lambda: isinstance(client.outcome, TypeError))
        client.close()
        client.close()
        runner.expect("no address", lambda: client.local is None)

    assert perform(experiment(run), FreshLabs(TCP), Reported()).outcome is RunOutcome.SEEN


def test_a_plain_socket_reaches_the_server() -> None:
    def tcp(runner: Runner) -> None:
        plain = runner.lab().dial()
        plain.sendall(b"plain")
        runner.expect("an echo", lambda: plain.recv(100) == b"plain")

    def udp(runner: Runner) -> None:
        plain = runner.lab().dial()
        plain.send(b"time 7")
        runner.expect("an answer", lambda: plain.recv(100).startswith(b"7 "))

    assert perform(experiment(tcp), FreshLabs(TCP), Reported()).outcome is RunOutcome.SEEN
    assert perform(experiment(udp), FreshLabs(UDP), Reported()).outcome is RunOutcome.SEEN


def test_a_client_has_the_options_of_its_own() -> None:
    def run(runner: Runner) -> None:
        lab = runner.lab()
        lab.fault("loss ->")
        client = lab.connect(timeout=0.2)
        client.begin("ask")
        runner.expect("its own timeout", lambda: "asked 4 times in 0.2 s" in str(client.outcome))
        runner.expect("its own words", lambda: any("asking again" in note for note in client.notes()))

    assert perform(experiment(run), FreshLabs(UDP), Reported()).outcome is RunOutcome.SEEN


def test_the_tabs_own_lab_shows_the_run_and_is_as_it_was_afterwards(tab: Lab) -> None:
    tab.wire.fault("delay 1ms")
    before, address = tab.state.faults, tab.address
    says_hello_by_hand(tab)

    def run(runner: Runner) -> None:
        lab = runner.lab("single")
        runner.step("Hello.")
        says_hello(lab)
        runner.expect("only what this run sent", lambda: len(lab.log()) == 1)
        runner.expect("on the wire too", lambda: payload(lab.segments(), Direction.TO_SERVER) == b"Hello")
        runner.expect("the tab's address", lambda: lab.address == address)
        runner.expect("the model", lambda: tab.state.model == "single")
        lab.fault("slice 1")
        runner.expect("the faults", lambda: tab.state.faults == ("slice 1",))

    labs, told = TabLab(tab), Reported()
    verdict = perform(experiment(run), labs, told)
    assert verdict.outcome is RunOutcome.SEEN, told.happened
    assert (tab.state.model, tab.state.faults, tab.state.phase) == ("threading", before, Phase.SERVING)
    assert not tab.sessions[1].connected
    assert any("Hello" in entry.text for entry in tab.sessions[1].transcript)
    perform(experiment(run), labs, Reported())
    assert len(tab.sessions) == 2  # those of the run before have gone


def says_hello_by_hand(tab: Lab) -> None:
    client = tab.connect()
    client.send(b"by hand")
    client.recv(100)
    wait_until(lambda: len(tab.log) == 1)


def test_a_tab_that_was_stopped_is_stopped_again(tab: Lab) -> None:
    tab.stop()
    perform(experiment(lambda runner: says_hello(runner.lab("single"))), TabLab(tab), Reported())
    assert (tab.state.model, tab.state.phase) == ("threading", Phase.STOPPED)


def test_a_tabs_lab_is_as_it_was_after_a_stop(tab: Lab) -> None:
    stop = threading.Event()

    def run(runner: Runner) -> None:
        runner.lab("single")
        stop.set()
        runner.step("Never.")

    told = Reported()
    assert perform(experiment(run), TabLab(tab), told, stop).outcome is RunOutcome.STOPPED
    assert [type(each) for each in told.happened[:-1]] == [LabOpened]
    assert not any(isinstance(each, Stepped | Expected) for each in told.happened)
    assert tab.state.model == "threading"
