"""An attached server: requests, round trips and bulk through the app against the bare wire, and key to paint meanwhile.

    python -m tests.benchmarks.bench_attached [ROUNDS] [KEYS]

Needs redis. Aims: the bare wire at ≥ 0.5 of direct and ≥ 0.9 of socat; the app at ≥ 0.9 of the bare wire; a key's p99
≤ 3 × its idle value. Two processors are full of server and load: what the app uses, the wire lacks.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.benchmarks.bench_keys import LETTERS, typed
from tests.benchmarks.bench_wire import route
from tests.benchmarks.terminal import Terminal, percentile

REQUESTS = 100_000
HOST = "127.0.0.1"
ECHO = """
import socket, threading
def serve(sock):
    while data := sock.recv(1 << 18): sock.sendall(data)
listener = socket.create_server(("127.0.0.1", int(__import__("sys").argv[1])))
while True: threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""
TIMES = """
import socket, sys, threading, time
sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
times, block = [], bytes(64)
for _ in range(5000):
    began = time.perf_counter(); sock.sendall(block); sock.recv(64); times.append(time.perf_counter() - began)
size, left = 1 << 28, 1 << 28
threading.Thread(target=lambda: [sock.sendall(bytes(1 << 20)) for _ in range(size >> 20)], daemon=True).start()
began = time.perf_counter()
while left: left -= len(sock.recv(1 << 20))
print(sorted(times)[2500] * 1e6, size / (time.perf_counter() - began) / (1 << 20))
"""
"""Microseconds of a round trip of 64 bytes (median), and MiB a second of 256 MiB there and back."""


def free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])


def wait_for(port: int) -> None:
    """Wait until something takes connections there."""
    for _ in range(400):
        with contextlib.suppress(OSError), socket.create_connection((HOST, port)):
            return
        time.sleep(0.05)


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


def through_app(server: int, port: int, child: Callable[[], subprocess.Popen[str]]) -> str:
    """What a client's process prints through the app; what the app draws is read all the while."""
    with attached(server, port) as terminal, child() as client:
        while client.poll() is None:
            terminal.read(0.05)
        return client.communicate()[0]


def rate_through_app(server: int, port: int) -> float:
    found = through_app(server, port, lambda: benchmark(port, REQUESTS))
    return float(re.findall(r"([\d.]+) requests per second", found)[-1])


def timed(port: int) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", TIMES, str(port)], stdout=subprocess.PIPE, text=True)


def round_trips(server: int, port: int, folder: str) -> None:
    """Print round trip and bulk through the bare wire, and through the app."""
    words = ["wire", "--to", f"{HOST}:{server}", "--listen", f"{HOST}:{port}", "--keep", "newest"]
    with running(sys.executable, "-m", "netlab", *words, "--write", f"{folder}/e{time.monotonic_ns()}.pcapng"):
        wait_for(port)
        wire = [float(each) for each in timed(port).communicate()[0].split()]
    app = [float(each) for each in through_app(server, port, lambda: timed(port)).split()]
    print(f"64 B round trip: wire {wire[0]:.0f} µs, app {app[0]:.0f} µs, {app[0] / wire[0]:.2f} ×")
    print(f"bulk: wire {wire[1]:.0f} MiB/s, app {app[1]:.0f} MiB/s, {app[1] / wire[1]:.2f} ×")


def through_wire(server: int, port: int, folder: str) -> float:
    words = ["wire", "--to", f"{HOST}:{server}", "--listen", f"{HOST}:{port}", "--keep", "newest"]
    with running(sys.executable, "-m", "netlab", *words, "--write", f"{folder}/w{time.monotonic_ns()}.pcapng"):
        wait_for(port)
        return rate(port)


def through_socat(server: int, folder: str) -> float:
    with route("socat -b 262144", server, folder) as (port, _):
        return rate(port)


def requests(server: int, port: int, folder: str) -> tuple[float, float, float]:
    """Requests a second through every route, printed; wire of direct, wire of socat, app of wire."""
    direct, socat = rate(server), through_socat(server, folder) if shutil.which("socat") else math.nan
    wire, app = through_wire(server, port, folder), rate_through_app(server, port)
    for each in Path(folder).glob("w*.pcapng"):
        each.unlink()
    ratios = wire / direct, wire / socat, app / wire
    print(f"direct {direct:8,.0f}   socat {socat:8,.0f}   wire {wire:8,.0f}   app {app:8,.0f}   {_in_words(ratios)}")
    return ratios


def _in_words(ratios: Sequence[float]) -> str:
    return "wire/direct {:.2f}   wire/socat {:.2f}   app/wire {:.2f}".format(*ratios)


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
        with running(sys.executable, "-c", ECHO, str(server)):
            wait_for(server)
            for _ in range(rounds):
                round_trips(server, port, folder)
        server, port = free_port(), free_port()
        with running("redis-server", "--port", str(server), "--save", "", "--appendonly", "no", "--dir", folder):
            wait_for(server)
            ratios = [requests(server, port, folder) for _ in range(rounds)]
            medians = [statistics.median(each) for each in zip(*ratios, strict=True)]
            print(f"medians: {_in_words(medians)}   aims ≥ 0.5, ≥ 0.9, ≥ 0.9")
            idle = keys(server, port, count, load=False)
            busy = keys(server, port, count, load=True)
            print(
                f"keys idle p50 {idle[0]:.1f} p99 {idle[1]:.1f} ms; under load p50 {busy[0]:.1f} p99 {busy[1]:.1f} ms"
            )
            print(f"p99 {busy[1] / idle[1]:.2f} × idle   aim ≤ 3")


if __name__ == "__main__":
    main(*(int(each) for each in (*sys.argv[1:], *("3", "200")[len(sys.argv) - 1 :])))
