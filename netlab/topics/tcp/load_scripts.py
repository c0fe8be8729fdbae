"""The scripts of the experiments with a load: what each does, and what must be seen.

What is compared holds by construction: more requests are planned than a model can serve, or the wire keeps one answer
for a while.
"""

from __future__ import annotations

from collections.abc import Callable

from netlab.topics.experiment import ExperimentLab, Latencies, Load, LoadFound, LoadPoint, Runner, RunningLoad

TWICE_AS_FAST = Load(clients=4, rate=130, seconds=0.8, kept=False)
"""Under ``single`` each client takes 15 ms with `SHORT`: it serves half of these."""
SHORT, LONG, LONGER = "delay 5ms", "delay 50ms", "delay 100ms"
FORTY_CLIENTS = Load(clients=40, rate=110, seconds=0.8, kept=False)
"""A thread keeps each of these for 150 ms with `LONG`: eight serve half of them."""
ONE_CLIENT = Load(clients=1, rate=80, seconds=1.5)
CLOSED_LOOP = Load(clients=1, seconds=1.5, closed=True)
PAUSE = "stall 300ms after 150 <-"
"""The wire keeps the 31st answer of five bytes for 300 ms, once."""
HALF_A_PAUSE = 0.15
FLOOD = Load(clients=20, rate=400, seconds=10.0, kept=False)
THREADS = 9
"""Of the pool: eight, and the one that accepts."""


def single_p99(runner: Runner) -> None:
    """The same requests under ``single`` and ``threading``."""
    single = runner.lab("single")
    runner.step("The wire delays each way by 5 ms. Requests come twice as fast as single can serve one after another.")
    single.fault(SHORT)
    load = single.load(TWICE_AS_FAST)
    _expect_point(runner, load, "clients wait in the accept queue", lambda point: bool(point.queue))
    _expect_point(runner, load, "requests wait for a free client, and wait longer and longer", _waits)
    slow = load.wait()
    threading = runner.lab("threading")
    runner.step("The same requests under threading, at the same moments.")
    threading.fault(SHORT)
    fast = threading.load(TWICE_AS_FAST).wait()
    runner.show("\n".join([_HEAD, _row("single", slow.latency), _row("threading", fast.latency)]))
    runner.expect(
        "the p99 is higher under single: the slowest hundredth waits longer than this",
        lambda: _less(fast.latency.p99, slow.latency.p99),
        found=lambda: (fast.latency.p99, slow.latency.p99),
    )


def pool_queue(runner: Runner) -> None:
    """More clients than the pool has threads for, and the same under ``threading``."""
    pool = runner.lab("pool")
    runner.step("The wire delays each way by 50 ms. Requests come twice as fast as eight threads can serve them.")
    pool.fault(LONG)
    load = pool.load(FORTY_CLIENTS)
    _expect_point(runner, load, "the pool is full: clients wait in the accept queue", lambda point: bool(point.queue))
    queued = load.wait()
    runner.expect(
        "the server never had more than 9 threads",
        lambda: _most(load, "threads") == THREADS,
        found=lambda: _in_words(load),
    )
    threading = runner.lab("threading")
    runner.step("The same requests under threading.")
    threading.fault(LONG)
    load = threading.load(FORTY_CLIENTS)
    _expect_point(runner, load, "it has more than 9 threads", lambda point: (point.threads or 0) > THREADS)
    served = load.wait()
    runner.show("\n".join([_HEAD, _row("pool", queued.latency), _row("threading", served.latency)]))
    runner.expect(
        "half of the requests wait longer under pool than half of them do under threading",
        lambda: _less(served.latency.p50, queued.latency.p50),
        found=lambda: (served.latency.p50, queued.latency.p50),
    )


def averages(runner: Runner) -> None:
    """One pause, seen by the mean, by percentiles, and by a load without a plan."""
    lab = runner.lab()
    runner.step("One client is to send 80 requests a second. Once, the wire keeps an answer for 0.3 s.")
    open_loop = _with_pause(lab, ONE_CLIENT)
    _expect_point(runner, open_loop, "meanwhile requests are planned, and wait for the client", _waits)
    found = open_loop.wait()
    truth, lie = found.latency, found.from_sending
    runner.expect(
        "one in a hundred waited longer than the mean", lambda: _less(truth.mean, truth.p99), found=lambda: truth
    )
    runner.step("The same pause, and a client in a closed loop: it sends again as soon as it has its answer.")
    closed = _with_pause(lab, CLOSED_LOOP)
    without_plan = closed.wait()
    runner.expect("during the pause it sent nothing", lambda: any(point.sent == 0 for point in closed.points[1:-1]))
    rows = [_row("open loop", truth), _row("… from sending", lie), _row("closed loop", without_plan.latency)]
    seen, missed = _seconds_or_more(HALF_A_PAUSE, found), _seconds_or_more(HALF_A_PAUSE, without_plan)
    waited = f"0.15 s or more: {seen} requests of the open loop, {missed} of the closed loop"
    runner.show("\n".join([_HEAD, *rows, "", waited]))
    runner.expect(
        "counted from when each request left, the p99 of the open loop is lower: the waiting is missing",
        lambda: _less(lie.p99, truth.p99),
        found=lambda: (lie.p99, truth.p99),
    )
    runner.expect(
        "fewer requests of the closed loop saw the pause: the client asked for nothing meanwhile",
        lambda: missed < seen,
        found=lambda: waited,
    )


def flood_models(runner: Runner) -> None:
    """Twenty clients that come again and again, under each model."""
    rows = [f"{'at most':11}" + "".join(f"{name:>11}" for name in _GAUGES)]
    for model, what, seen in _FLOODED:
        lab = runner.lab(model)
        runner.step(f"Twenty clients that connect, ask, leave and come again, under {model}.")
        lab.fault(LONGER)
        load = lab.load(FLOOD)
        _expect_point(runner, load, what, seen)
        load.end()
        values = [_most(load, name) for name in _GAUGES]
        rows.append(f"{model:11}" + "".join(f"{'?' if each is None else each:>11}" for each in values))
    runner.show("\n".join(rows))


_FLOODED: tuple[tuple[str, str, Callable[[LoadPoint], bool]], ...] = (
    ("single", "1 thread; the others wait in the accept queue", lambda at: bool(at.queue) and at.threads == 1),
    ("threading", "more than 9 threads", lambda at: (at.threads or 0) > THREADS),
    ("forking", "more than 9 processes", lambda at: (at.processes or 0) > THREADS),
    ("pool", "9 threads; the others wait in the accept queue", lambda at: bool(at.queue) and at.threads == THREADS),
    ("asyncio", "1 thread, and the queue is empty", lambda at: at.sent > 0 and at.threads == 1 and at.queue == 0),
)
"""A model, what must be seen of it, and in which of the points."""
_GAUGES = ("queue", "threads", "processes")


def _with_pause(lab: ExperimentLab, load: Load) -> RunningLoad:
    lab.fault("delay 2ms", PAUSE)
    return lab.load(load)


def _expect_point(runner: Runner, load: RunningLoad, what: str, seen: Callable[[LoadPoint], bool]) -> None:
    """Wait until one of the load's points shows it."""
    runner.expect(what, lambda: any(map(seen, load.points)), found=lambda: _in_words(load))


def _waits(point: LoadPoint) -> bool:
    return point.waiting > 1


def _most(load: RunningLoad, gauge: str) -> int | None:
    """The most that a gauge showed; None if it was never known."""
    return max((value for point in load.points if (value := getattr(point, gauge)) is not None), default=None)


def _in_words(load: RunningLoad) -> str:
    return ", ".join(f"at most {_most(load, name)} {name}" for name in _GAUGES)


def _seconds_or_more(seconds: float, found: LoadFound) -> int:
    """How many requests took so long."""
    return sum(count for latency, count in found.histogram if latency >= seconds)


def _less(first: float | None, second: float | None) -> bool:
    return first is not None and second is not None and first < second


_HEAD = f"{'milliseconds':16}{'mean':>9}{'p50':>9}{'p99':>9}{'slowest':>9}"


def _row(name: str, found: Latencies) -> str:
    values = (found.mean, found.p50, found.p99, found.maximum)
    return f"{name:16}" + "".join(f"{'?' if each is None else f'{each * 1000:.1f}':>9}" for each in values)
