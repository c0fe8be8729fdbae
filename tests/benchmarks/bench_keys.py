"""Key to paint while the machine is busy: idle, under 100 clients, under bulk data through the wire, and
while a load is drawn.

    python -m tests.benchmarks.bench_keys [KEYS]

Aim: p99 ≤ 3 × its idle value under any load. The first two loads are client processes of ordinary priority.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time

from tests.benchmarks.terminal import ESCAPES, Terminal, percentile

LETTERS = [chr(code) for code in range(0x0400, 0x0530)]
"""Cyrillic: one cell wide each, and on nobody's screen before."""

HAMMER = """
import selectors, socket, sys
port, clients = int(sys.argv[1]), int(sys.argv[2])
chosen = selectors.DefaultSelector()
for _ in range(clients):
    s = socket.create_connection(("127.0.0.1", port)); s.setblocking(False); s.sendall(b"x" * 64)
    chosen.register(s, selectors.EVENT_READ)
print("up", flush=True)
while True:
    for key, _ in chosen.select():
        if not key.fileobj.recv(65536): sys.exit()
        key.fileobj.send(b"x" * 64)
"""

BULK = """
import socket, sys, threading
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
threading.Thread(target=lambda: [None for _ in iter(lambda: s.recv(1 << 20), b"")], daemon=True).start()
print("up", flush=True)
block = bytes(1 << 20)
for _ in range(100_000): s.sendall(block)
"""


def port_of(terminal: Terminal) -> int:
    """The port that the status line names."""
    terminal.until("serving")
    found = None
    while found is None:
        terminal.read(0.2)
        found = re.search(rb"serving\s+127\.0\.0\.1:(\d+)", ESCAPES.sub(b"", bytes(terminal.received)))
    return int(found[1])


def measure(load: list[str] | None, keys: int, typed_load: str = "") -> tuple[float, float]:
    """p50 and p99 in ms of typing a letter into the console, deleted again."""
    terminal = Terminal([sys.executable, "-m", "netlab"])
    child = None
    try:
        port = port_of(terminal)
        terminal.settle(0.5)
        terminal.received.clear()
        os.write(terminal.master, b":model  threading\r")
        terminal.until("model threading")  # the line typed says ":model", the status line "model"
        if load:
            child = subprocess.Popen([sys.executable, "-c", load[0], str(port), *load[1:]], stdout=subprocess.PIPE)
            child.stdout.readline()
        if typed_load:
            os.write(terminal.master, f"{typed_load}\r".encode())
            terminal.until(" running, 1 of")
            os.write(terminal.master, b">")
        terminal.settle(0.3, 2.0)
        times = [typed(terminal, LETTERS[at % len(LETTERS)], at % 20 == 19) for at in range(keys)]
        return percentile(times, 0.5) * 1000, percentile(times, 0.99) * 1000
    finally:
        if child:
            child.kill()
            child.wait()
        terminal.close()


def typed(terminal: Terminal, letter: str, clear: bool) -> float:
    """Seconds from a letter's key until the screen shows it: one that nothing else on the screen holds."""
    terminal.settle(0.02, 0.05)
    terminal.received.clear()
    wanted = letter.encode()
    began = time.perf_counter()
    os.write(terminal.master, wanted)
    while wanted not in terminal.received:
        if time.perf_counter() - began > 10:
            raise TimeoutError(f"{letter} was never shown")
        terminal.read(1.0)
    taken = time.perf_counter() - began
    if clear:
        os.write(terminal.master, b"\x15")  # ctrl+u empties the line; Textual may run it after keys that follow at once
        terminal.settle(0.2, 0.5)
    return taken


def main(keys: int) -> None:
    with tempfile.TemporaryDirectory() as home:
        os.environ["XDG_DATA_HOME"] = os.environ["XDG_CONFIG_HOME"] = os.environ["XDG_STATE_HOME"] = home
        print(f"{'':32}{'p50 ms':>8}{'p99 ms':>8}{'× idle p99':>12}   aim ≤ 3")
        idle = None
        for name, load in (
            ("idle", None),
            ("100 clients", [HAMMER, "100"]),
            ("bulk through the wire", [BULK]),
        ):
            middle, worst = measure(load, keys)
            idle = idle or worst
            print(f"{name:32}{middle:8.1f}{worst:8.1f}{worst / idle:12.2f}")
        for rate in ("--rate 1000", "--closed"):
            middle, worst = measure(None, keys, f":load --clients 20 {rate} --for 300s")
            print(f"{f':load --clients 20 {rate}':32}{middle:8.1f}{worst:8.1f}{worst / idle:12.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
