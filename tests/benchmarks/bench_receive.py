"""Receive a payload by each way of the zero-copy recipe, against receiving it into a small buffer that is reused.

Run by hand: ``python -m tests.benchmarks.bench_receive [SIZE [ROUNDS]]``, default ``1 GiB``, 5 rounds, medians.
The sender is the recipe's server in a process of its own; each receive has a fresh process. ``of reuse`` is the rate
divided by that of reuse in the same round; ``peak`` is the most resident memory beyond that before the call, divided by
the payload. Aim: ``huge_pages`` 1.0 or more, peak at most 1.02. The ways that concatenate are left out: 49 s for 1 GiB.
"""

from __future__ import annotations

import json
import logging
import mmap
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from netlab.topics.zerocopy.client import Client
from netlab.topics.zerocopy.sizes import parse_size
from netlab.topics.zerocopy.transfer import Transfer
from netlab.topics.zerocopy.ways import QUADRATIC, WAYS

REUSE = "reuse"
SMALL = 1 << 18
NAMES = [REUSE, *(way for way in WAYS if way not in QUADRATIC)]
CLEAR_HIGHEST = "5"
"""Written to clear_refs (proc(5)): VmHWM starts again at what is resident now."""


def reuse(sock: object, transfer: Transfer) -> memoryview:
    """Nothing is kept: each piece lands where the one before was."""
    view = memoryview(bytearray(SMALL))
    while transfer.filled < transfer.size:
        transfer.arrived(sock.recv_into(view[: transfer.size - transfer.filled]))  # type: ignore[attr-defined]
    return view


def resident(which: str) -> int:
    """VmRSS or VmHWM of this process, in bytes."""
    found = re.search(rf"{which}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) << 10


def warm(size: int) -> None:
    """Touch as much memory and give it back.

    A virtual machine gets memory that it has not touched for some seconds from its host, page by page: 2 s for 1 GiB
    instead of 0.1, and huge pages are what it gives back to the host first. That is not what is measured here.
    """
    with mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as touched:
        touched.madvise(mmap.MADV_HUGEPAGE)
        for at in range(0, size, mmap.PAGESIZE):
            touched[at] = 1


def receive(port: int, way: str, size: int) -> None:
    """In the fresh process: one receive; seconds and peak are printed."""
    logging.disable()
    warm(size)
    WAYS[REUSE] = reuse
    client = Client(("127.0.0.1", port), timeout=60.0)
    client.receive(4096, way)
    client.transfer = Transfer("", 0)
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text(CLEAR_HIGHEST)
    seconds = client.receive(size, way).seconds
    print(json.dumps([seconds, (resident("VmHWM") - before) / size]))


@contextmanager
def sender() -> Iterator[int]:
    """The port of a server in a process of its own."""
    command = [sys.executable, "-m", "netlab", "serve", "zerocopy", "--port", "0", "--supervised"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdin is not None
        port = json.loads(process.stdout.readline())["port"]
        try:
            yield port
        finally:
            process.stdin.close()


def measure(port: int, way: str, size: int) -> tuple[float, float]:
    """Seconds and peak of one receive."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_receive", "--in-child", str(port), way, str(size)]
    seconds, peak = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return seconds, peak


def main(size: int, rounds: int) -> None:
    """Every way in every round, so that a busy moment meets all of them."""
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in NAMES}
    with sender() as port:
        for _ in range(rounds):
            base, _ = measure(port, REUSE, size)
            for name in NAMES:
                seconds, peak = measure(port, name, size) if name != REUSE else (base, 0.0)
                found[name].append((seconds, base / seconds, peak))
                time.sleep(0.1)
    print(f"{size:,} bytes, medians of {rounds}\n{'way':<16} {'s':>7} {'of reuse':>9} {'peak':>6}")
    for name, rows in found.items():
        seconds, ratio, peak = (median(column) for column in zip(*rows, strict=True))
        print(f"{name:<16} {seconds:7.3f} {ratio:9.2f} {peak:6.3f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--in-child"]:
        receive(int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
    else:
        main(parse_size(sys.argv[1] if sys.argv[1:] else "1 GiB"), int(sys.argv[2]) if sys.argv[2:] else 5)
