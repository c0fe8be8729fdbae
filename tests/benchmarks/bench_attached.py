"""An attached server: requests through the app against the bare wire, and key to paint meanwhile. Needs redis.

    python -m tests.benchmarks.bench_attached [ROUNDS] [KEYS]

Aims: the app at ≥ 0.9 of the bare wire; a key's p99 ≤ 3 × its idle value.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.bench_keys import LETTERS, typed
from tests.benchmarks.terminal import Terminal, percentile

REQUESTS = 100_000
HOST = "127.0.0.1"


def free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])


def benchmark(port: int, requests: int) -> subprocess.Popen[str]:
    words = ["redis-benchmark", "-p", str(port), "-c", "50", "-n", str(requests), "-t", "get", "-q"]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL)


def rate(port: int) -> float:
    """Requests a second."""
    out = benchmark(port, REQUESTS).communicate()[0]
    return float(re.findall(r"([\d.]+) requests per second", out)[-1])


@contextlib.contextmanager
def running(*words: str) -> Iterator[None]:
    child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        child.terminate()
        child.wait()


@contextlib.contextmanager
def attached(server: int, port: int) -> Iterator[Terminal]:
    terminal = Terminal([sys.executable, "-m", "netlab", "attach", f"{HOST}:{server}", "--listen", f"{HOST}:{port}"])
    try:
        terminal.until(str(server))
        terminal.settle(0.5)
        yield terminal
    finally:
        terminal.close()


def through_app(server: int, port: int) -> float:
    """The rate through the app; what it draws is read all the while."""
    with attached(server, port) as terminal:
        child = benchmark(port, REQUESTS)
        while child.poll() is None:
            terminal.read(0.05)
        return float(re.findall(r"([\d.]+) requests per second", child.communicate()[0])[-1])


def through_wire(server: int, port: int, folder: str) -> float:
    words = ["wire", "--to", f"{HOST}:{server}", "--listen", f"{HOST}:{port}", "--keep", "newest"]
    with running(sys.executable, "-m", "netlab", *words, "--write", f"{folder}/w{time.monotonic_ns()}.pcapng"):
        time.sleep(1)
        return rate(port)


def keys(server: int, port: int, count: int, *, load: bool) -> tuple[float, float]:
    """p50 and p99 in ms."""
    with attached(server, port) as terminal:
        child = benchmark(port, 100_000_000) if load else None
        terminal.settle(0.3, 2.0)
        times = [typed(terminal, LETTERS[at % len(LETTERS)], at % 20 == 19) for at in range(count)]
        if child:
            child.kill()
            child.wait()
        return percentile(times, 0.5) * 1000, percentile(times, 0.99) * 1000


def main(rounds: int, count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in ("DATA", "CONFIG", "STATE"):
            os.environ[f"XDG_{name}_HOME"] = folder
        server, port = free_port(), free_port()
        with running("redis-server", "--port", str(server), "--save", "", "--appendonly", "no", "--dir", folder):
            time.sleep(0.5)
            ratios = []
            for _ in range(rounds):
                direct, wire, app = rate(server), through_wire(server, port, folder), through_app(server, port)
                ratios.append(app / wire)
                print(f"direct {direct:9,.0f}   wire {wire:9,.0f}   app {app:9,.0f}   app/wire {app / wire:.2f}")
                for each in Path(folder).glob("w*.pcapng"):
                    each.unlink()
            print(f"median app/wire {statistics.median(ratios):.2f}   aim ≥ 0.9")
            idle = keys(server, port, count, load=False)
            busy = keys(server, port, count, load=True)
            print(
                f"keys idle p50 {idle[0]:.1f} p99 {idle[1]:.1f} ms; under load p50 {busy[0]:.1f} p99 {busy[1]:.1f} ms"
            )
            print(f"p99 {busy[1] / idle[1]:.2f} × idle   aim ≤ 3")


if __name__ == "__main__":
    main(*(int(each) for each in (*sys.argv[1:], *("3", "200")[len(sys.argv) - 1 :])))
