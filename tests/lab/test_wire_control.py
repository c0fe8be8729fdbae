"""Faults on a running lab: set, combined, cleared, refused with a reason, and gone in no time when the lab ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from netlab.capture.model import Direction, Kind, Outcome
from netlab.lab import Lab
from netlab.lab.errors import LabError
from netlab.lab.wire_control import LONGEST_SPEC, MOST_FAULTS
from tests.support.waiting import wait_until, waits_for


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab("tcp", model="single") as lab:
        yield lab


def test_faults_are_added_removed_and_cleared(lab: Lab) -> None:
    assert lab.wire.fault("slice 1", "delay 20ms ->") == ("slice 1", "delay 20ms →")
    assert lab.state.faults == lab.wire.faults == ("slice 1", "delay 20ms →")
    assert lab.wire.fault("corrupt first 1") == ("slice 1", "delay 20ms →", "corrupt first 1")
    assert lab.wire.remove(1) == ("slice 1", "corrupt first 1")
    with pytest.raises(LabError, match="no fault 3"):
        lab.wire.remove(2)
    lab.wire.clear()
    assert lab.wire.faults == ()


def test_what_was_asked_for_is_true_when_it_returns(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    returned, refresh = threading.Event(), lab._supervisor._now.refresh

    def late() -> None:
        returned.wait(0.2)  # a caller that does not wait for this sees the previous state
        refresh()

    monkeypatch.setattr(lab._supervisor._now, "refresh", late)
    lab.wire.fault("stall after 8 ->")
    seen = lab.wire.faults
    returned.set()
    assert seen == ("stall after 8 →",)


def test_faults_are_replaced_in_one_go(lab: Lab) -> None:
    told: list[tuple[str, ...]] = []
    lab.wire.fault("stall", "slice 1")
    with lab.connect() as client:
        client.send(b"held")
        assert lab.wire.replace("stall after 9", "slice 2") == ("stall after 9", "slice 2")
        wait_until(lambda: told.append(lab.wire.faults) or lab.capture.segments[-1].direction is Direction.TO_CLIENT)
    assert set(told) == {("stall after 9", "slice 2")}
    with pytest.raises(LabError, match="there is no fault"):
        lab.wire.replace("slice 1", "gremlins")
    assert lab.wire.faults == ("stall after 9", "slice 2")


def test_faults_added_by_several_at_once_all_act(lab: Lab) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lab.wire.fault, [f"slice {n}" for n in range(1, 13)]))
    assert sorted(lab.wire.faults) == sorted(f"slice {n}" for n in range(1, 13))


def test_faults_change_while_a_client_talks(lab: Lab) -> None:
    with lab.connect() as client:
        client.send(b"one")
        assert client.recv(8192) == b"one"
        lab.wire.fault("stall")
        client.submit("held")
        wait_until(lambda: waits_for(client).startswith("recv"))
        for _ in range(2):  # the bytes are sent: between two answers of the wire it looks at each of its sockets
            lab.sync()
        lab.wire.clear()
        client.wait_idle()
    out = [s for s in lab.capture.segments if s.kind is Kind.DATA and s.direction is Direction.TO_SERVER]
    assert [(bytes(s.data), s.fate) for s in out] == [(b"one", ""), (b"held", "stalled")]


def outcomes(lab: Lab) -> list[Outcome]:
    return [segment.outcome for segment in lab.capture.segments if segment.kind is Kind.DATA]


def fates(lab: Lab) -> list[str]:
    return [segment.fate for segment in lab.capture.segments if segment.kind is Kind.DATA]


def test_a_stall_is_one_pause_in_each_direction_and_then_the_wire_is_free(lab: Lab) -> None:
    lab.wire.fault("stall 50ms")
    with lab.connect() as client:
        for _ in range(3):
            client.send(b"Hello")
            assert client.recv(8192) == b"Hello"
    assert fates(lab) == ["stalled 50 ms", "stalled 50 ms", "", "", "", ""]


def test_the_first_connection_is_cut_and_the_second_is_not(lab: Lab) -> None:
    lab.wire.fault("cut after 3 first 1")
    with lab.connect() as client:
        client.send(b"Hello")
        assert client.recv(8192) == b""
    with lab.connect() as client:
        client.send(b"Hello")
        assert client.recv(8192) == b"Hello"


def test_the_first_is_lost_and_the_retry_works_also_when_another_fault_is_added() -> None:
    with Lab("udp") as lab, lab.connect() as client:
        lab.wire.fault("loss first 1")
        client.ask()
        lab.wire.fault("delay 1ms")
        client.ask()
        lost = [outcome is Outcome.DROPPED for outcome in outcomes(lab)]
        assert (lost[0], sum(lost)) == (True, 1)


def test_a_lie_is_refused_with_its_reason(lab: Lab) -> None:
    with pytest.raises(LabError, match=r"lost bytes again.*try stall 2s"):
        lab.wire.fault("loss 30%")
    with pytest.raises(LabError, match="there is no fault"):
        lab.command(":fault gr\x1bmlins")
    with pytest.raises(LabError, match="a fault has at most"):
        lab.wire.fault("delay 1ms" + " " * LONGEST_SPEC)
    with Lab("udp") as other, pytest.raises(LabError, match="arrives whole or not at all"):
        other.wire.fault("slice 1")


def test_there_are_only_so_many(lab: Lab) -> None:
    lab.wire.fault(*["noop"] * MOST_FAULTS)
    with pytest.raises(LabError, match="a wire has at most"):
        lab.wire.fault("noop")


def test_without_a_wire_there_is_no_fault() -> None:
    with pytest.raises(LabError, match="not running"):
        Lab("tcp").wire.fault("slice 1")


def test_the_console_tells_what_there_is(lab: Lab) -> None:
    told = lab.command(":fault") or ""
    for kind in lab.wire.kinds:
        assert f":fault {kind.name}" in told and kind.help in told
    assert told.endswith("active: none")
    assert "first 3 (three on the whole wire" in told and "first 3 each (three in each direction of each flow" in told
    assert lab.command(":fault slice 1") == "active: slice 1"
    assert lab.command(":fault none") == "active: none"


def test_every_example_is_a_fault() -> None:
    for name in ("tcp", "udp"):
        with Lab(name) as lab:
            for kind in lab.wire.kinds:
                assert lab.wire.fault(f"{kind.name} {kind.example}") == (f"{kind.name} {kind.example}",)
                lab.wire.clear()


def test_a_seed_repeats_which_segments_are_met() -> None:
    def run(seed: int) -> list[str]:
        with Lab("tcp") as lab, lab.connect() as client:
            lab.wire.fault("corrupt bit 0 byte 0 50% ->", seed=seed)
            for _ in range(12):
                client.send(b"x")
                client.recv(1)
            return [s.fate for s in lab.capture.segments if s.direction is Direction.TO_SERVER and s.length]

    assert run(3) == run(3)


def test_a_lab_with_faults_on_stops_as_fast_as_one_without() -> None:
    with Lab("tcp", model="threading") as lab:
        lab.wire.fault("stall", "delay 60s")
        for _ in range(5):
            lab.connect().submit("Hello")
        wait_until(lambda: lab.state.accounts.open_flows == 5)
        began = time.monotonic()
    assert time.monotonic() - began < 2
