"""A key through the attached app while many flows come and go: ``python -m tests.benchmarks.bench_flows [KEYS]``.

Idle, with 2,000 flows at once that all talk, and with 10,000 in a row, each a connection with one exchange. Aim: p99 of
a key ≤ 3 × its idle value; every answer right.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from tests.benchmarks.bench_attached import attached, free_port, wait_for
from tests.benchmarks.bench_keys import LETTERS, typed
from tests.benchmarks.bench_wire import raise_descriptor_limit
from tests.benchmarks.terminal import Terminal, percentile

ECHO = """
import asyncio, sys
async def echo(reader, writer):
    try:
        while data := await reader.read(65536): writer.write(data); await writer.drain()
    except OSError: pass
    writer.close()
async def main():
    await (await asyncio.start_server(echo, "127.0.0.1", int(sys.argv[1]), backlog=4096)).serve_forever()
asyncio.run(main())
"""
MANY = """
import socket, sys, time
socks = [socket.create_connection(("127.0.0.1", int(sys.argv[1])), 20) for _ in range(2000)]
right = wrong = 0
end = time.monotonic() + float(sys.argv[2])
while time.monotonic() < end:
    for sock in socks: sock.sendall(b"hello")
    for sock in socks:
        if sock.recv(5, socket.MSG_WAITALL) == b"hello": right += 1
        else: wrong += 1
print(f"2,000 flows at once: {right:,} answers right, {wrong} wrong")
"""
ROW = """
import socket, sys, time
count, right, began = 10000, 0, time.monotonic()
for _ in range(count):
    with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 20) as sock:
        sock.sendall(b"hello"); right += sock.recv(5, socket.MSG_WAITALL) == b"hello"
print(f"{count:,} flows in a row: {right:,} answers right, {count / (time.monotonic() - began):,.0f} flows a second")
"""


def keys(terminal: Terminal, count: int, load: subprocess.Popen[str] | None = None) -> tuple[float, float]:
    """p50 and p99 in ms; with a load, of those keys that came while it ran."""
    times: list[float] = []
    while len(times) < count and (load is None or load.poll() is None):
        times.append(typed(terminal, LETTERS[len(times) % len(LETTERS)], len(times) % 20 == 19))
    return percentile(times, 0.5) * 1000, percentile(times, 0.99) * 1000


def under(terminal: Terminal, count: int, port: int, code: str, *more: str) -> tuple[float, float]:
    """The same while a client's process runs."""
    command = [sys.executable, "-c", code, str(port), *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as load:
        terminal.settle(1.0, 1.0)
        found = keys(terminal, count, load)
        while load.poll() is None:
            terminal.read(0.05)
        print(load.communicate()[0], end="")
    return found


def main(count: int) -> None:
    raise_descriptor_limit(30_000)
    with tempfile.TemporaryDirectory() as folder:
        for name in ("DATA", "CONFIG", "STATE"):
            os.environ[f"XDG_{name}_HOME"] = folder
        server, port = free_port(), free_port()
        with subprocess.Popen([sys.executable, "-c", ECHO, str(server)]) as echo:
            try:
                wait_for(server)
                with attached(server, port) as terminal:
                    rows = {"idle": keys(terminal, count)}
                    rows["2,000 flows at once"] = under(terminal, count, port, MANY, "12")
                    rows["10,000 flows in a row"] = under(terminal, count, port, ROW)
            finally:
                echo.kill()
    print(f"{'':24}{'p50 ms':>8}{'p99 ms':>8}{'× idle p99':>12}   aim ≤ 3")
    for name, (middle, worst) in rows.items():
        print(f"{name:24}{middle:8.1f}{worst:8.1f}{worst / rows['idle'][1]:12.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
