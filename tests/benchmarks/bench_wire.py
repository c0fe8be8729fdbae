"""What the wire costs, beside a direct connection and socat, in one run: ``python -m tests.benchmarks.bench_wire``.

Client and server are processes of their own, written to be quick rather than to be read. Each round measures every
route once, one after the other, so that a change of the machine's mood meets all of them; the medians are printed, and
only ratios mean anything elsewhere. ``--folder`` says where the capture goes: a file system that keeps large folios
(ext4, xfs) takes it several times faster than tmpfs, which takes page after page. ``--processors 1`` lets all of them
share one processor: then the round trip shows all work, also what otherwise hides behind the other processes' turns.

Aims: bulk with capture ≥ 1.0 of socat's at no more processor time a GiB; round trip p50 on one processor ≤ 1.1 ×
socat's; 10,000 idle flows in one thread and ≤ 150 MiB.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Any

CHUNK = 1 << 20
ROUTES = ("direct", "socat -b 262144", "netlab wire, capture", "netlab wire")


def serve(kind: str) -> None:
    """``sink`` reads to the end and answers with a byte, ``echo`` echoes, ``idle`` holds what it accepts."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    print(listener.getsockname()[1], flush=True)
    held = []
    room = memoryview(bytearray(CHUNK))
    while True:
        client, _ = listener.accept()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if kind == "idle":
            held.append(client)
            continue
        with client, contextlib.suppress(ConnectionError):
            while count := client.recv_into(room):
                if kind == "echo":
                    client.sendall(room[:count])
            client.sendall(b"k")


def bulk(port: int, size: int, echo: bool) -> float:
    """MiB/s of ``size`` bytes sent, until the server has them all, or until all are back."""
    block, room = memoryview(bytes(CHUNK)), bytearray(CHUNK)
    with socket.create_connection(("127.0.0.1", port)) as client:

        def send() -> None:
            for _ in range(size // CHUNK):
                client.sendall(block)
            client.shutdown(socket.SHUT_WR)

        begun = time.perf_counter()
        sender = threading.Thread(target=send)
        sender.start()
        got = 0
        while count := client.recv_into(room):
            got += count
        sender.join()
        seconds = time.perf_counter() - begun
    if got != (size + 1 if echo else 1):
        raise RuntimeError(f"{got} bytes came back")
    return size / CHUNK / seconds


def round_trips(port: int, count: int) -> tuple[float, float]:
    """Median and 99th percentile of a 64-byte round trip, in µs."""
    times, message = [], bytes(64)
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(count):
            begun = time.perf_counter_ns()
            client.sendall(message)
            client.recv(64)
            times.append((time.perf_counter_ns() - begun) / 1000)
    times = times[count // 10 :]
    return median(times), quantiles(times, n=100)[98]


def measure(arguments: argparse.Namespace) -> None:
    """In a client process: one figure, as JSON."""
    if arguments.measure == "trips":
        print(json.dumps(round_trips(arguments.port, arguments.trips)))
    else:
        echo = arguments.measure == "echo"
        print(json.dumps(bulk(arguments.port, arguments.size << 20, echo)))


@contextlib.contextmanager
def running(*command: str, **more: Any) -> Iterator[subprocess.Popen[str]]:
    """A child with its stdout open, ended afterwards."""
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **more)
    try:
        yield child
    finally:
        child.terminate()
        child.communicate()


@contextlib.contextmanager
def route(name: str, server: int, folder: str) -> Iterator[tuple[int, int]]:
    """The port to connect to, and the relay's process id."""
    if name == "direct":
        yield server, 0
    elif name.startswith("socat"):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        options = f"{port},bind=127.0.0.1,reuseaddr,fork,nodelay,backlog=1024"
        with running("socat", *name.split()[1:], f"TCP-LISTEN:{options}", f"TCP:127.0.0.1:{server},nodelay") as child:
            await_port(port)
            yield port, child.pid
    else:
        write = ["--write", f"{folder}/{time.monotonic_ns()}.pcapng"] if "capture" in name else []
        command = [sys.executable, "-m", "netlab", "wire", "--to", f"127.0.0.1:{server}", *write]
        with running(*command) as child:
            assert child.stdout
            yield int(child.stdout.readline().split()[2].rpartition(":")[2]), child.pid
        for written in Path(folder).glob("*.pcapng"):
            written.unlink()


def await_port(port: int) -> None:
    """Until somebody listens there."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return


def client(what: str, port: int, arguments: argparse.Namespace) -> Any:
    """One measurement in a process of its own."""
    numbers = ["--port", str(port), "--size", str(arguments.size), "--trips", str(arguments.trips)]
    command = [sys.executable, __file__, "--measure", what, *numbers]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def idle_flows(port: int, pid: int, count: int) -> tuple[float, int]:
    """The relay's resident MiB and its threads, once it holds ``count`` flows."""
    clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
    await_descriptors(pid, 2 * count)
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    for each in clients:
        each.close()
    return int(status["VmRSS"].split()[0]) / 1024, int(status["Threads"])


def await_descriptors(pid: int, count: int) -> None:
    """Until the process has so many open."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and len(os.listdir(f"/proc/{pid}/fd")) < count:  # noqa: PTH208 - counting, quickly
        pass


def processor_seconds(pid: int) -> float:
    """Seconds of processor time of a process and its present children; 0 where the system does not say (Linux does)."""
    total = 0.0
    with contextlib.suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        total = int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
        for child in children:
            total += int(Path(f"/proc/{child}/schedstat").read_text().split()[0]) / 1e9
    return total


class ProcessorTime:
    """What a relay uses until it is asked, also in children that have ended meanwhile, as those of socat."""

    def __init__(self, pid: int) -> None:
        self._pid, self._over = pid, threading.Event()
        self._before = self._most = processor_seconds(pid)
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(0.02):
            self._most = max(self._most, processor_seconds(self._pid))

    def used(self) -> float:
        """Seconds, once."""
        self._over.set()
        self._thread.join()
        return max(self._most, processor_seconds(self._pid)) - self._before


def measured(arguments: argparse.Namespace, folder: str) -> dict[str, dict[str, float]]:
    """Route → figure → median over the rounds."""
    samples: dict[str, dict[str, list[float]]] = {name: {} for name in available()}
    for _ in range(arguments.rounds):
        for kind in ("sink", "echo"):
            with running(sys.executable, __file__, "--serve", kind) as server:
                assert server.stdout
                port = int(server.stdout.readline())
                for name, figures in samples.items():
                    with route(name, port, folder) as (there, pid):
                        if kind == "sink":
                            used = ProcessorTime(pid or os.getpid())
                            figures.setdefault("bulk", []).append(client("sink", there, arguments))
                            figures.setdefault("cpu", []).append(used.used() / (arguments.size / 1024))
                        else:
                            for figure, value in zip(("p50", "p99"), client("trips", there, arguments), strict=True):
                                figures.setdefault(figure, []).append(value)
                            figures.setdefault("echo", []).append(client("echo", there, arguments))  # fills the capture
    return {name: {figure: median(values) for figure, values in each.items()} for name, each in samples.items()}


def available() -> list[str]:
    """The routes that can be measured here."""
    return [name for name in ROUTES if not name.startswith("socat") or shutil.which("socat")]


def table(figures: dict[str, dict[str, float]]) -> None:
    """Absolute figures, and each as a ratio to socat's (to direct where there is no socat)."""
    reference = figures.get("socat -b 262144", figures["direct"])
    columns = {"bulk": "bulk MiB/s", "cpu": "s/GiB", "echo": "echo MiB/s", "p50": "p50 µs", "p99": "p99 µs"}
    print(f"{'':<24}" + "".join(f"{title:>12}{'×':>6}" for title in columns.values()))
    for name, row in figures.items():
        cells = "".join(
            f"{row[key]:>12.2f}{row[key] / reference[key]:>6.2f}"
            if key != "cpu" or name != "direct"
            else f"{'–':>12}{'–':>6}"
            for key in columns
        )
        print(f"{name:<24}{cells}")


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1024, help="MiB of a bulk transfer")
    parser.add_argument("--trips", type=int, default=20000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--flows", type=int, default=10_000)
    parser.add_argument("--processors", type=int, help="that everything shares (Linux; default: all)")
    parser.add_argument("--folder", help="for the capture (default: the system's temporary folder)")
    parser.add_argument("--serve", choices=("sink", "echo", "idle"), help=argparse.SUPPRESS)
    parser.add_argument("--measure", choices=("sink", "echo", "trips"), help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    raise_descriptor_limit(3 * arguments.flows)
    if arguments.processors:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: arguments.processors])
    if arguments.serve:
        serve(arguments.serve)
    elif arguments.measure:
        measure(arguments)
    else:
        compare(arguments)


def raise_descriptor_limit(wanted: int) -> None:
    """As high as is wanted where that is allowed, else as high as it may be."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(hard, wanted),) * 2)
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def compare(arguments: argparse.Namespace) -> None:
    """The whole table."""
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        table(measured(arguments, folder))
        with running(sys.executable, __file__, "--serve", "idle") as server:
            assert server.stdout
            with route("netlab wire, capture", int(server.stdout.readline()), folder) as (port, pid):
                empty, _ = idle_flows(port, pid, 0)
                count = min(arguments.flows, (resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 64) // 2)
                memory, threads = idle_flows(port, pid, count)
        print(f"{count:,} idle flows: {memory:.0f} MiB resident ({empty:.0f} without), {threads} thread(s)")


if __name__ == "__main__":
    main()
