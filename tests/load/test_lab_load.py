"""A load on a lab: through its wire, which leaves the load's flows out of the capture."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from netlab.capture.model import Endpoint
from netlab.lab.errors import LabError
from netlab.lab.lab import Lab
from netlab.lab.state import Phase
from netlab.load.chosen_operation import operation_of
from netlab.load.lab_load import load_on, wire_cost
from netlab.load.loopback_only import refuse_elsewhere
from netlab.load.plan import LoadPlan
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab("tcp", model="threading") as made:
        yield made


def plan_for(lab: Lab, **more: object) -> LoadPlan:
    given = {"clients": 4, "rate": 200.0, "seconds": 0.5, **more}
    return LoadPlan(operation_of(lab.topic), **given)  # type: ignore[arg-type]  # names of fields


def test_the_capture_leaves_the_flows_of_a_load_out_and_counts_them(lab: Lab) -> None:
    client = lab.connect()
    client.send(b"before")
    client.recv(8192)
    captured, before = lab.capture.segment_count, lab.state.accounts
    result = load_on(lab, plan_for(lab), lambda point: client.send(b"meanwhile")).run()
    assert result.done == 100 and result.model == "threading"
    client.close()
    with lab.connect() as other:
        other.send(b"after")
        other.recv(8192)
        uncaptured = before.uncaptured + 200 + 4 * 3  # each flow opens once and ends twice
        wait_until(lambda: lab.sync() or lab.state.accounts.uncaptured == uncaptured)
        capture = lab.capture
        payloads = b"".join(bytes(capture.payload(number)) for number in range(capture.segment_count))
        assert b"Hello" not in payloads
        assert payloads.count(b"meanwhile") >= 2 * len(result.points) - 1  # its own client's flow was open before
        assert payloads.count(b"after") == 2
        accounts = lab.state.accounts
    assert accounts.flows == before.flows + 4 + 1
    assert accounts.segments == accounts.kept == capture.segment_count > captured


def test_what_could_not_be_left_out_is_captured_later(lab: Lab) -> None:
    wire = lab._supervisor._now.wire
    assert wire is not None
    os.kill(wire.child.pid, signal.SIGKILL)
    wait_until(lambda: lab.state.phase is Phase.DEAD)
    with pytest.raises(LabError), lab.wire.leaving_out_new_flows():
        pass
    lab.start()
    with lab.wire.leaving_out_new_flows():
        pass
    captured = lab.capture.segment_count
    with lab.connect() as client:
        client.send(b"kept")
        assert client.recv(8192) == b"kept"
        wait_until(lambda: lab.sync() or lab.capture.segment_count >= captured + 3)


def test_points_show_the_servers_threads_and_its_queue(lab: Lab) -> None:
    result = load_on(lab, plan_for(lab, seconds=1.0), direct=True).run()
    assert max(point.threads or 0 for point in result.points) == 1 + 4
    assert {point.queue for point in result.points} <= {0, 1, 2, 3, 4}


def test_what_the_wire_costs_is_not_known_while_faults_act(lab: Lab) -> None:
    lab.wire.fault("delay 1ms")
    try:
        assert wire_cost(lab, plan_for(lab)) is None
    finally:
        lab.wire.clear()


def test_a_server_elsewhere_gets_no_load_unless_somebody_asks_for_it() -> None:
    for host in ("192.0.2.1", "0.0.0.0", "2001:db8::1"):
        with pytest.raises(LabError, match="is not a loopback address"):
            refuse_elsewhere(Endpoint(host, 80))
    assert refuse_elsewhere(Endpoint("127.0.0.2", 80)) == (Endpoint("127.0.0.2", 80),)
    assert {each.host for each in refuse_elsewhere(Endpoint("localhost", 80))} <= {"127.0.0.1", "::1"}
