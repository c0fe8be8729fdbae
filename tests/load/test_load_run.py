"""A load on servers that a test scripts: what is counted, and from when."""

import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from itertools import count

import pytest

from netlab.load.load_run import LoadRun
from netlab.load.plan import LoadPlan, PlainBytes
from netlab.load.points import GaugeValues, Point
from netlab.load.result import LoadResult
from netlab.load.schedule import planned_times
from tests.load.servers import PATIENCE, echo, serving

ECHO = PlainBytes(b"Hello", b"Hello")
PLAN = LoadPlan(ECHO, clients=4, rate=200, seconds=0.5)


def load(plan: LoadPlan, serve: Callable[[socket.socket], None] = echo) -> LoadResult:
    with serving(serve) as address:
        return LoadRun(plan, address).run()


def test_an_open_loop_sends_all_that_is_planned_and_its_points_add_up() -> None:
    points: list[Point] = []
    with serving(echo) as address:
        run = LoadRun(PLAN, address, on_point=points.append, gauges=lambda: GaugeValues(queue=3, threads=2))
        result = run.run()
    assert (result.planned, result.sent, result.done, result.samples) == (100, 100, 100, 100)
    assert not result.errors and result.complete and result.throughput == 200
    assert tuple(points) == result.points
    assert sum(point.planned for point in points) == sum(point.sent for point in points) == 100
    assert sum(point.done for point in points) == sum(number for _, number in result.histogram) == 100
    assert {(point.queue, point.threads, point.unread) for point in points} == {(3, 2, None)}
    assert points[-1].waiting == points[-1].in_flight == 0


def test_latency_counts_from_the_planned_time_though_the_request_waited_in_the_generator() -> None:
    """One client, and a server that holds its first request until others have waited for a while."""
    plan = replace(PLAN, clients=1, seconds=1.0)
    let_go, held, released_at = threading.Event(), count(), []

    def serve(client: socket.socket) -> None:
        while data := client.recv(65536):
            if next(held) == 0:
                let_go.wait(PATIENCE)
            client.sendall(data)

    def look(point: Point) -> None:
        if point.waiting >= 40 and not let_go.is_set():
            released_at.append(point.at)
            let_go.set()

    with serving(serve) as address:
        result = LoadRun(plan, address, on_point=look).run()
    assert result.done == result.samples == 200
    (released,) = released_at
    must = sorted((released - planned for planned in planned_times(plan) if planned < released), reverse=True)
    slowest = [latency for latency, number in reversed(result.histogram) for _ in range(number)]
    assert len(must) >= 41
    for least, latency in zip(must, slowest, strict=False):  # the n-th slowest took as long as the schedule says
        assert latency >= least * 0.95  # the histogram for drawing has two digits
    assert result.latency.maximum is not None and result.latency.maximum >= must[0] * 0.999
    assert result.latency.p50 is not None and result.from_sending.p50 is not None
    assert result.from_sending.p50 < result.latency.p50  # which counts one request that was held, and no wait


def test_a_closed_loop_sends_when_it_has_its_answer_and_not_before() -> None:
    """The held server stops all of its clients, so nothing waits and nothing is counted but what was sent."""
    let_go = threading.Event()

    def serve(client: socket.socket) -> None:
        while data := client.recv(65536):
            let_go.wait(PATIENCE)
            client.sendall(data)

    seen: list[Point] = []

    def look(point: Point) -> None:
        seen.append(point)
        if point.at > 0.25:
            let_go.set()

    with serving(serve) as address:
        result = LoadRun(replace(PLAN, rate=0, closed=True), address, on_point=look).run()
    assert seen[0].sent == seen[0].in_flight == 4
    assert seen[1].sent == 0 and seen[1].waiting == 0
    assert result.sent == result.done > 4


@pytest.mark.parametrize("keep", [True, False])
def test_connections_are_kept_or_each_request_has_its_own(keep: bool) -> None:
    served = count()

    def serve(client: socket.socket) -> None:
        next(served)
        echo(client)

    assert load(replace(PLAN, keep=keep), serve).done == 100
    assert next(served) == (4 if keep else 100)
