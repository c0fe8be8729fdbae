"""``netlab load`` beside wrk, and beside what its own schedule says: ``python -m tests.benchmarks.bench_load``.

Three tables, half a minute, by hand: a closed loop against a server with a fixed service time, the same clients for
both (aim: rate, p50 and p99 within 10 %); an open loop against a server that pauses once for a second (aim: p99.9 and
the maximum are what the schedule says); and how many requests one generator makes (aim: 15,000/s).
"""

from __future__ import annotations

import asyncio
import multiprocessing
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from netlab.capture.model import Endpoint
from netlab.load.generator.load_counts import nearest_rank
from netlab.load.load_run import LoadRun
from netlab.load.load_text import time_text
from netlab.load.plan import LoadPlan, PlainBytes
from netlab.load.result import LoadResult
from netlab.load.schedule import planned_times

CLIENTS, SECONDS = 10, 8
SERVICE, PAUSE, PAUSED_AT = 0.005, 1.0, 2000
REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def main() -> None:
    closed_loop()
    pause()
    most()


def closed_loop() -> None:
    print(f"\nClosed loop, {CLIENTS} clients, {SECONDS} s, a service time of {SERVICE * 1000:g} ms")
    plan = LoadPlan(PlainBytes(REQUEST, ANSWER), CLIENTS, 0, SECONDS, closed=True)
    with running(fixed_service) as address:
        if shutil.which("wrk") is None:
            print("wrk is not installed")
            return
        theirs, ours = wrk(address), LoadRun(plan, address).run()
    own = (ours.throughput, ours.latency.p50, ours.latency.p99)
    texts = (_rate, time_text, time_text)
    print(f"{'':<12}{'wrk':>12}{'netlab':>12}{'ratio':>8}")
    for name, text, one, other in zip(("requests/s", "p50", "p99"), texts, theirs, own, strict=True):
        assert other is not None
        print(f"{name:<12}{text(one):>12}{text(other):>12}{other / one:>8.3f}")
    remark(ours)


def pause() -> None:
    plan = LoadPlan(PlainBytes(b"Hello", b"Hello"), 50, 1000, 6)
    print(f"\nA server that pauses for {PAUSE:g} s at request {PAUSED_AT:,}; 1,000 requests/s for 6 s, 50 clients")
    with running(pausing) as address:
        found = LoadRun(plan, address).run()
    with running(pausing) as address:
        closed = LoadRun(replace(plan, rate=0, closed=True), address).run()
    must = expected(plan)
    print(f"{'':<12}{'schedule':>12}{'netlab':>12}{'ratio':>8}{'from sending':>15}{'closed loop':>14}")
    rows = (
        ("p50", 50.0, found.latency.p50, found.from_sending.p50, closed.latency.p50),
        ("p99", 99.0, found.latency.p99, found.from_sending.p99, closed.latency.p99),
        ("p99.9", 99.9, found.latency.p999, found.from_sending.p999, closed.latency.p999),
        ("max", 100.0, found.latency.maximum, found.from_sending.maximum, closed.latency.maximum),
    )
    for name, percent, value, sending, lie in rows:
        says = nearest_rank(must, percent)
        assert value is not None and says is not None
        ratio = f"{value / says:>8.3f}" if says else f"{'':>8}"
        print(
            f"{name:<12}{time_text(says):>12}{time_text(value):>12}{ratio}{time_text(sending):>15}{time_text(lie):>14}"
        )
    remark(found)


def expected(plan: LoadPlan) -> list[float]:
    """The latencies of a server that takes no time but its pause: what was planned in the pause waits for its end."""
    times = planned_times(plan)
    end = times[PAUSED_AT - 1] + PAUSE
    return sorted(max(0.0, end - planned) if number >= PAUSED_AT - 1 else 0.0 for number, planned in enumerate(times))


def most() -> None:
    print("\nOne generator against an asyncio echo, 5 bytes")
    plan = LoadPlan(PlainBytes(b"Hello", b"Hello"), 50, 0, 5, closed=True)
    with running(asyncio_echo) as address:
        for each in (plan, *(replace(plan, closed=False, rate=rate) for rate in (5_000, 10_000, 15_000, 20_000))):
            found = LoadRun(each, address).run()
            loop = "closed loop" if each.closed else f"open loop {each.rate:,.0f}/s"
            print(
                f"{loop:<22}{found.throughput:>10,.0f}/s  p50 {time_text(found.latency.p50):>8}"
                f"  p99 {time_text(found.latency.p99):>8}  late {found.late:,}  {found.busy:.0%} of a processor"
            )


def remark(found: LoadResult) -> None:
    for sentence in found.warnings:
        print(f"  {sentence}")


def _rate(value: float | None) -> str:
    return f"{value:,.1f}"


def wrk(address: Endpoint) -> tuple[float, float, float]:
    """Its rate, p50 and p99."""
    command = ["wrk", "-t1", f"-c{CLIENTS}", f"-d{SECONDS}s", "--latency", f"http://{address}/"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rate = float(re.findall(r"Requests/sec:\s+([\d.]+)", text)[0])
    p50, p99 = (re.findall(rf"^\s+{percent}%\s+([\d.]+)(us|ms|s)$", text, re.M)[0] for percent in (50, 99))
    factor = {"us": 1e-6, "ms": 1e-3, "s": 1.0}
    return rate, float(p50[0]) * factor[p50[1]], float(p99[0]) * factor[p99[1]]


@contextmanager
def running(serve: Callable[[socket.socket], None]) -> Iterator[Endpoint]:
    """A server in a process of its own."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        process = multiprocessing.get_context("fork").Process(target=serve, args=(listener,), daemon=True)
        process.start()
        yield Endpoint(*listener.getsockname())
        process.kill()
        process.join()


def fixed_service(listener: socket.socket) -> None:
    def serve(client: socket.socket) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        with suppress(OSError):  # wrk resets its connections
            while client.recv(65536):
                time.sleep(SERVICE)
                client.sendall(ANSWER)

    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


def pausing(listener: socket.socket) -> None:
    class Echo(asyncio.Protocol):
        count = 0

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            Echo.count += 1
            if Echo.count == PAUSED_AT:
                time.sleep(PAUSE)
            self.transport.write(data)  # type: ignore[attr-defined]  # a stream's transport writes

    asyncio.run(_serve(listener, Echo))


def asyncio_echo(listener: socket.socket) -> None:
    class Echo(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            self.transport.write(data)  # type: ignore[attr-defined]  # a stream's transport writes

    asyncio.run(_serve(listener, Echo))


async def _serve(listener: socket.socket, protocol: type[asyncio.Protocol]) -> None:
    server = await asyncio.get_running_loop().create_server(protocol, sock=listener)
    await server.serve_forever()


if __name__ == "__main__":
    main()
