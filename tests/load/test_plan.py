"""A plan is a value that a line of JSON carries, and its schedule is the same wherever it is worked out."""

from collections import Counter

import pytest

from netlab.capture.model import Transport
from netlab.lab.errors import LabError
from netlab.load.chosen_operation import operation_of
from netlab.load.plan import Calls, LoadPlan, PlainBytes, plan_of
from netlab.load.schedule import planned_times
from netlab.topics.client_call import Call
from netlab.topics.discovery import topic_named, topics

ECHO = PlainBytes(b"Hello\x00\xff", b"Hello\x00\xff")


@pytest.mark.parametrize(
    "operation",
    [
        ECHO,
        PlainBytes(b"time", b"", Transport.UDP),
        Calls("netlab.topics.hmac", (Call("send", (b"\x00'\"",)), Call("recv", (8192,))), b"\x00'\""),
        Calls("netlab.topics.xmlrpc", (Call("set", ("a", [1, (2.5, None)], {"k": True})),)),
    ],
)
def test_a_plan_survives_as_a_line_of_json(operation: PlainBytes | Calls) -> None:
    plan = LoadPlan(operation, clients=3, rate=10.5, seconds=2, ramp=1, keep=False, seed=7, timeout=0.5)
    line = plan.as_json()
    assert "\n" not in line
    assert plan_of(line) == plan


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"clients": 0}, "clients are 1 to"),
        ({"rate": 0.0}, "a rate is more than 0"),
        ({"rate": float("nan")}, "a rate is more than 0"),
        ({"rate": float("inf")}, "a load plans 1 to"),
        ({"rate": 1e7}, "a load plans 1 to"),
        ({"rate": 0.1}, "a load plans 1 to"),
        ({"seconds": 0.0}, "a load lasts"),
        ({"seconds": float("nan")}, "a load lasts"),
        ({"ramp": 3.0}, "the ramp is a part"),
        ({"timeout": 0.0}, "a timeout is"),
        ({"operation": PlainBytes(b"")}, "nothing to send"),
        ({"operation": PlainBytes(bytes(40_000))}, "more than 32,768 bytes"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_sentence(more: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        LoadPlan(**{"operation": ECHO, "clients": 1, "rate": 100.0, "seconds": 2.0, **more})  # type: ignore[arg-type]


def test_the_schedule_has_as_many_requests_as_asked_for_and_is_the_same_for_a_seed() -> None:
    plan = LoadPlan(ECHO, clients=1, rate=1000, seconds=4)
    times = planned_times(plan)
    assert len(times) == 4000 == plan.requests
    assert list(times) == sorted(times)
    assert times[0] >= 0 and times[-1] <= 4
    assert planned_times(plan) == times
    assert planned_times(LoadPlan(ECHO, clients=99, rate=1000, seconds=4, keep=False)) == times
    assert planned_times(LoadPlan(ECHO, clients=1, rate=1000, seconds=4, seed=2)) != times
    in_each = Counter(int(time * 1000) for time in times)  # about 1 in each ms; Poisson: 37 % of them have none
    assert 0.33 < 1 - len(in_each) / 4000 < 0.41


def test_in_a_ramp_the_rate_rises_from_nothing() -> None:
    times = planned_times(LoadPlan(ECHO, clients=1, rate=1000, seconds=4, ramp=2))
    assert len(times) == 3000
    halves = Counter(int(time * 2) for time in times)
    assert [halves[half] for half in range(4)] == [pytest.approx(n, abs=60) for n in (62, 188, 312, 438)]
    assert all(halves[half] == pytest.approx(500, abs=70) for half in range(4, 8))


def test_every_topic_has_an_operation_without_being_asked() -> None:
    shown = {name: str(operation_of(topic)) for name, topic in topics().items()}
    assert shown["tcp"] == "b'Hello' → b'Hello'"
    assert shown["hmac"] == "send(b'Hello'); recv(8192)"
    assert shown["wsgi"] == "get('/hello', name='Hello')"
    assert operation_of(topic_named("tcp"), model="stream") == PlainBytes(b"Hello\n", b"Hello\n")
    assert operation_of(topic_named("tcp"), "Hi", own=True) == PlainBytes(b"Hi")
    assert operation_of(topic_named("multiprocessing"), "[1, 2]") == Calls(
        "netlab.topics.multiprocessing", (Call("send", ([1, 2],)), Call("recv")), [1, 2]
    )
    assert str(operation_of(topic_named("tcp"), ["sendall(b'a')", "sendall(b'b')", "recv(9)"])) == (
        "sendall(b'a'); sendall(b'b'); recv(9)"
    )


def test_a_line_that_is_no_operation_is_refused() -> None:
    for line in ("shout('x')", "  ", "send(open('x'))"):
        with pytest.raises(LabError):
            operation_of(topic_named("tcp"), line)
