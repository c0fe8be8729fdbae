"""What it costs a server to report where it stands: 64-byte echoes per second with and without, in turns.

    python -m tests.benchmarks.bench_standing [SECONDS] [TURNS]

Aim: at most 2 %. Client and server are processes of their own; one server is asked and let alone, turn by turn, while
the same clients go on, so that both halves of a pair meet the same machine. On a busy machine the rates say little; the
"time" is the processor's time that the server needs for an echo (Linux), with and without, and "share" is how much of
the processor sampling took, by the server's own clock.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

CLIENT = """
import selectors, socket, sys, time
port, clients, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
chosen, block = selectors.DefaultSelector(), b"x" * 63 + b"\\n"
for _ in range(clients):
    s = socket.create_connection(("127.0.0.1", port))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1); s.setblocking(False); s.send(block)
    chosen.register(s, selectors.EVENT_READ)
for line in sys.stdin:
    count, began = 0, time.perf_counter()
    while (now := time.perf_counter()) < began + seconds:
        for key, _ in chosen.select(1):
            if key.fileobj.recv(8192): key.fileobj.send(block); count += 1
    print(count / (now - began), flush=True)
"""

CLIENTS = {"single": 1, "raw": 1, "stream": 4, "threading": 4, "pool": 8, "forking": 4, "asyncio": 20}


SETTLING = 0.2


class Pair:
    """A server, and clients that send it what it echoes."""

    def __init__(self, model: str, clients: int, seconds: float) -> None:
        serve = [sys.executable, "-m", "netlab", "serve", "tcp", "--model", model, "--port", "0", "--supervised"]
        self.server = subprocess.Popen(serve, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        port = str(json.loads(self.server.stdout.readline())["port"])
        self.reports, self.spent = 0, {}
        threading.Thread(target=self._read, daemon=True).start()
        client = [sys.executable, "-c", CLIENT, port, str(clients), str(seconds)]
        self.client = subprocess.Popen(client, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def _read(self) -> None:
        for line in self.server.stdout:
            if '"standing"' in line:
                self.reports += 1
                report = json.loads(line)
                self.spent[report["pid"]] = report["spent"]

    def turn(self, on: bool) -> tuple[float, float]:
        """Echoes per second and ticks of the processor, while the server reports where it stands or does not."""
        self.ask(on)
        before = ticks(self.server.pid)
        return self.rate(), ticks(self.server.pid) - before

    def ask(self, on: bool) -> None:
        """Let the server report where it stands, or no more."""
        self.server.stdin.write(json.dumps({"request": "standing", "on": on}) + "\n")
        self.server.stdin.flush()
        time.sleep(SETTLING)  # two of its ticks: by then it does

    def rate(self) -> float:
        """Echoes per second."""
        self.client.stdin.write("\n")
        self.client.stdin.flush()
        return float(self.client.stdout.readline())

    def end(self) -> None:
        for process in (self.client, self.server):
            process.stdin.close()
            process.wait(10)


def ticks(pid: int) -> int:
    """What a process and its children have used of the processor."""
    spent = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if pid in (int(stat.parent.name), int(fields[1])):
                spent += int(fields[11]) + int(fields[12])
    return spent


def main(seconds: float, turns: int) -> None:
    print(
        f"{'model':12}{'clients':>8}{'without /s':>12}{'with /s':>10}{'reports':>9}{'ratio':>8}{'time':>8}{'share':>8}"
    )
    for model, clients in CLIENTS.items():
        pair = Pair(model, clients, seconds)
        try:
            pair.rate()
            orders = [(False, True) if turn % 2 else (True, False) for turn in range(turns)]
            found = [{on: pair.turn(on) for on in order} for order in orders]
        finally:
            pair.end()
        ratio = statistics.median(each[True][0] / each[False][0] for each in found)
        off, on = (statistics.median(each[which][0] for each in found) for which in (False, True))
        without, asked = (sum(each[w][1] for each in found) / sum(each[w][0] for each in found) for w in (False, True))
        share = sum(pair.spent.values()) / (turns * (seconds + SETTLING))
        row = f"{model:12}{clients:8}{off:12,.0f}{on:10,.0f}{pair.reports:9}{ratio:8.3f}{asked / without:8.3f}"
        print(f"{row}{share:8.2%}", flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0, int(sys.argv[2]) if len(sys.argv) > 2 else 15)
