"""A load on servers that a test scripts: what is counted, and from when."""

import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from itertools import count

import pytest

from netlab.capture.model import Transport
from netlab.kernel.holders import descendants
from netlab.load import failures
from netlab.load.load_run import LoadRun
from netlab.load.plan import Calls, LoadPlan, PlainBytes
from netlab.load.points import GaugeValues, Point
from netlab.load.result import LoadResult
from netlab.load.schedule import planned_times
from netlab.names import endpoint_of
from netlab.topics.client_call import Call
from tests.load.servers import PATIENCE, echo, serving
from tests.support.folders import ROOT

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
    assert result.points[-1].at < PLAN.seconds + PLAN.timeout, "it ends with the last answer"


@pytest.mark.parametrize("keep", [True, False])
def test_connections_are_kept_or_each_request_has_its_own(keep: bool) -> None:
    served = count()

    def serve(client: socket.socket) -> None:
        next(served)
        echo(client)

    assert load(replace(PLAN, keep=keep), serve).done == 100
    assert next(served) == (4 if keep else 100)


def reset(client: socket.socket) -> None:
    client.recv(65536)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def say(answer: bytes) -> Callable[[socket.socket], None]:
    def serve(client: socket.socket) -> None:
        while client.recv(65536):
            if answer:
                client.sendall(answer)

    return serve


@pytest.mark.parametrize(
    ("serve", "kind"),
    [
        (reset, failures.RESET),
        (lambda client: client.recv(65536), failures.CLOSED),
        (say(b"Hellx"), failures.WRONG),
        (say(b""), failures.TIMED_OUT),
    ],
)
def test_each_failure_counts_by_its_kind(serve: Callable[[socket.socket], None], kind: str) -> None:
    result = load(replace(PLAN, clients=20, rate=40, timeout=0.2), serve)
    assert result.errors == {kind: 20}
    assert (result.sent, result.done, result.failed) == (20, 0, 20)
    unanswered = kind == failures.TIMED_OUT
    assert result.at_least == result.samples == (20 if unanswered else 0)  # they waited; the others did not
    assert (result.latency.p50 is not None and result.latency.p50 >= 0.2) == unanswered


def test_a_server_that_is_not_there_refuses_each_request() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        refused = LoadRun(replace(PLAN, keep=False), endpoint_of(bound)).run()
        closed = LoadRun(replace(PLAN, rate=0, closed=True, seconds=0.2), endpoint_of(bound)).run()
    assert refused.errors == {failures.REFUSED: 100}
    assert set(closed.errors) == {failures.REFUSED}
    assert closed.sent <= 4 * 21  # a client rests for a moment before it asks again


def test_requests_that_no_client_was_free_for_count_with_the_time_that_they_waited() -> None:
    hold = threading.Event()
    with serving(lambda client: hold.wait(PATIENCE) and None) as address:
        result = LoadRun(replace(PLAN, clients=1, timeout=0.3), address).run()
        hold.set()
    assert result.errors == {failures.TIMED_OUT: result.sent, failures.NEVER_SENT: 100 - result.sent}
    assert result.sent <= 3  # one after another until 0.3 s after the last planned time
    assert result.samples == result.at_least == 100
    assert any("100 of 100 samples had no answer" in sentence for sentence in result.warnings)


BEHIND = 24
"""So many requests later a lost answer comes."""


def test_a_lost_datagram_is_an_error_and_a_late_answer_is_nobodys() -> None:
    plan = replace(PLAN, operation=PlainBytes(b"ask", b"ask", Transport.UDP), rate=60, seconds=1.0, timeout=0.05)
    times = planned_times(plan)  # a timeout is noticed within an interval
    assert min(late - lost for lost, late in zip(times[2::3], times[2 + BEHIND :: 3], strict=False)) > 0.16
    with socket.socket(type=socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=_leave_out_each_third, args=(server,), daemon=True)
        thread.start()
        result = LoadRun(plan, endpoint_of(server)).run()
        server.sendto(b"", endpoint_of(server))
        thread.join(PATIENCE)
    assert result.errors == {failures.TIMED_OUT: 20}
    assert result.done == 40 and result.at_least == 20 and result.samples == 60


def _leave_out_each_third(server: socket.socket) -> None:
    """Of each three requests the last gets no answer, until many requests later."""
    clients = []
    for number in count(1):
        data, client = server.recvfrom(65536)
        if not data:
            return
        clients.append(client)
        if number % 3:
            server.sendto(data, client)
        elif number > BEHIND:
            server.sendto(b"late", clients[-1 - BEHIND])


def test_calls_of_a_topics_client_wait_for_the_whole_answer_and_fail_by_kind() -> None:
    calls = (Call("send", (b"Hello",)), Call("recv", (8192,)))
    operation = Calls("netlab.topics.tcp", calls, b"Hello")
    plan = replace(PLAN, operation=operation, rate=40, timeout=0.2)
    assert load(plan, lambda client: client.recv(9)).errors == {failures.CLOSED: 20}
    sliced = load(plan, lambda client: [client.sendall(bytes([byte])) for byte in client.recv(9)] and echo(client))
    assert sliced.done == 20  # bytes of an answer may come one by one


def test_a_load_that_is_cancelled_gives_the_result_so_far() -> None:
    with serving(echo) as address:
        run = LoadRun(replace(PLAN, seconds=60.0), address, on_point=lambda point: run.cancel())
        result = run.run()
    assert not result.complete and result.seconds < 60
    assert result.done and result.planned >= result.samples
    assert result.samples == result.done + result.at_least  # a request may wait in the generator at the very end
    assert any("was ended after" in sentence for sentence in result.warnings)


@pytest.mark.skipif(sys.platform != "linux", reason="SCHED_IDLE")
def test_beside_a_screen_the_generator_yields_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NETLAB_PRIORITY")
    seen: set[int] = set()
    with serving(echo) as address:
        run = LoadRun(
            replace(PLAN, seconds=0.2), address, yield_cpu=True,
            on_point=lambda point: seen.update(map(os.sched_getscheduler, descendants(os.getpid()))),
        )  # fmt: skip
        run.run()
    assert os.SCHED_IDLE in seen


def test_what_a_listener_raises_ends_the_load() -> None:
    def fail(point: Point) -> None:
        raise KeyError(point.at)

    with serving(echo) as address, pytest.raises(KeyError):
        LoadRun(replace(PLAN, seconds=60.0), address, on_point=fail).run()


@pytest.mark.skipif(sys.platform == "win32", reason="limits of descriptors")
def test_without_descriptors_requests_fail_in_words() -> None:
    script = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24));"
        "from netlab.capture.model import Endpoint; from netlab.load.plan import LoadPlan, PlainBytes;"
        "from netlab.load.load_run import LoadRun;"
        "plan = LoadPlan(PlainBytes(b'Hello'), 60, 0, 0.3, closed=True);"
        "print(*LoadRun(plan, Endpoint('127.0.0.1', int(sys.argv[1]))).run().errors, sep=';')"
    )
    with serving(echo) as address:
        command = [sys.executable, "-c", script, str(address.port)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "no descriptors left\n"
