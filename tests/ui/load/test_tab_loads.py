"""Loads on a real lab: one at a time, model by model, and ended by whatever ends them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from netlab.lab import Lab
from netlab.lab.errors import LabError
from netlab.ui.load.load_request import LoadRequest
from netlab.ui.load.tab_loads import MOST, TabLoads
from tests.support.waiting import wait_until
from tests.ui.load.made_runs import two_models

SHORT = LoadRequest(clients=2, rate=50.0, seconds=0.3)
LONG = LoadRequest(clients=2, rate=20.0, seconds=60.0)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab("tcp", yield_cpu=True) as lab:
        yield lab


def test_two_models_one_after_another_and_the_model_is_restored(lab: Lab) -> None:
    ended: list[Exception | None] = []
    loads = TabLoads(lab, ended.append)
    loads.start(LoadRequest(clients=2, rate=50.0, seconds=0.3, models=("threading", "single")))
    wait_until(lambda: loads.runs)
    with pytest.raises(LabError, match="a load runs already"):
        loads.start(SHORT)
    wait_until(lambda: not loads.running)
    assert (ended, lab.state.model) == ([None], "single")
    assert [(run.letter, run.name) for run in loads.runs] == [("A", "threading"), ("B", "single")]
    for run in loads.runs:
        assert run.result is not None and run.result.samples == 15 and run.points == run.result.points
    assert loads.request_of("A") == SHORT == loads.latest


def test_one_that_is_started_while_the_wire_is_measured_follows(lab: Lab) -> None:
    loads = TabLoads(lab)
    loads.start(SHORT)
    wait_until(lambda: loads.runs and loads.runs[-1].result)
    loads.start(SHORT)
    wait_until(lambda: not loads.running)
    assert [run.letter for run in loads.runs] == ["A", "B"]
    assert all(run.result is not None and run.result.samples == 15 for run in loads.runs)


def test_it_is_stopped_and_what_it_has_found_stays(lab: Lab) -> None:
    loads = TabLoads(lab)
    loads.start(LONG)
    wait_until(lambda: loads.runs and any(point.done for point in loads.runs[-1].points), "an answer")
    loads.stop()
    wait_until(lambda: not loads.running)
    (run,) = loads.runs
    assert run.result is not None and not run.result.complete and run.result.done
    loads.forget("A")
    assert loads.runs == ()


def test_who_is_being_served_while_a_load_waits_is_said(lab: Lab) -> None:
    loads = TabLoads(lab)
    with lab.connect() as client:
        client.send(b"Hello")
        assert client.recv(16) == b"Hello"
        lab.sync()  # else a client of an earlier load may still be counted, and this one not yet
        wait_until(lambda: lab.state.accounts.clients == 1)
        loads.start(LONG)
        wait_until(lambda: loads.runs)
        (run,) = loads.runs
        loads.stop()
        wait_until(lambda: not loads.running)
    assert any("a client is connected, and single serves one at a time" in remark for remark in run.remarks)


def test_a_dying_server_ends_it_and_that_is_said(lab: Lab) -> None:
    ended: list[Exception | None] = []
    loads = TabLoads(lab, ended.append)
    loads.start(LONG)
    wait_until(lambda: loads.runs and loads.runs[-1].points)
    assert lab.state.server_pid is not None
    os.kill(lab.state.server_pid, signal.SIGKILL)
    wait_until(lambda: not loads.running)
    (run,) = loads.runs
    assert any("the server died" in remark for remark in run.remarks)
    with pytest.raises(LabError, match="no server"):
        loads.start(SHORT)
    lab.start()
    assert ended == [None]


def test_leaving_ends_it_at_once(lab: Lab) -> None:
    loads = TabLoads(lab)
    loads.start(LONG)
    wait_until(lambda: loads.runs)
    loads.leave(5)
    assert not loads.running


def test_only_the_last_runs_are_kept_each_with_its_own_letter(lab: Lab) -> None:
    loads = TabLoads(lab)
    for _ in range(MOST):
        loads.add([(run, SHORT) for run in two_models()])
    letters = [run.letter for run in loads.runs]
    assert len(letters) == len(set(letters)) == MOST
    assert letters[-1] == "P"


@pytest.mark.parametrize("request_", [LoadRequest(line="send(x)"), LoadRequest(clients=0)])
def test_what_cannot_be_done_is_refused_at_once(lab: Lab, request_: LoadRequest) -> None:
    with pytest.raises((LabError, ValueError)):
        TabLoads(lab).start(request_)
