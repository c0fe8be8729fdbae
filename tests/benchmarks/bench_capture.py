"""`netlab inspect` on a long capture: first page, end, filters, keys, memory; beside tshark in the same run.

    python -m tests.benchmarks.bench_capture [SEGMENTS] [TSHARK]

TSHARK says what is timed of it: ``both`` (the default), ``end``, ``filter``, ``none``; 5 million take it a minute each.
LONG_CAPTURE in the environment may name a file with so many segments that was written before.

Aims for 5 million: first page within 300 ms of a running app; end and filter within 0.2 of tshark's time; 100 MiB
beside the file; keys answer meanwhile.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.terminal import ESCAPES, Terminal, percentile
from tests.support.long_capture import FIRST_PORT, RARE, write_long_capture

FLOWS = 1000
FILTERS = {
    "flow 500": "one flow",
    ">40": "by length",
    f"'{RARE.decode()}'": "a rare text",
    "'some words of a co'": "a text of most",
}
TAIL = 1 << 14
"""Bytes of what was written last in which a text is looked for."""
PATIENCE = 120.0
UP, DOWN = "\x1b[A", "\x1b[B"


@contextmanager
def inspected(path: Path) -> Iterator[tuple[Terminal, float]]:
    """The app with a file, and the milliseconds until its first line was painted."""
    terminal = Terminal([sys.executable, "-m", "netlab", "inspect", str(path)])
    try:
        yield terminal, terminal.until("open") * 1000
    finally:
        terminal.close()


def until(terminal: Terminal, pattern: str) -> float:
    """Seconds since `began` when the end of what was written matches."""

    def seen() -> bool:
        del terminal.received[:-TAIL]
        return re.search(pattern.encode(), ESCAPES.sub(b"", bytes(terminal.received))) is not None

    return terminal.wait(seen, pattern, PATIENCE)


def press(terminal: Terminal, keys: str) -> None:
    """Send keys, and time from here."""
    terminal.received.clear()
    terminal.began = time.perf_counter()
    os.write(terminal.master, keys.encode())


def filtered(terminal: Terminal, text: str, segments: int) -> float:
    """Seconds until a filter that has been typed has tested all segments."""
    press(terminal, "/")
    terminal.settle(0.1)
    press(terminal, text + "\r")
    return until(terminal, rf"[\d,]+ of {segments:,} shown(?!, filt)")


def keyed(terminal: Terminal, *keys: str, count: int = 60) -> list[float]:
    """Milliseconds from a cursor key to the first byte of what it painted; four times one, then the other."""
    times = []
    for number in range(count):
        times.append(terminal.key(keys[number // 4 % 2]) * 1000)
        terminal.read(0.01)
    return times


def tshark(path: Path, *arguments: str) -> float:
    """Seconds that tshark takes to read the file."""
    began = time.perf_counter()
    command = ["tshark", "-n", "-r", str(path), *arguments]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def show_keys(name: str, times: list[float]) -> None:
    """Print a row."""
    print(f"key, {name:14} p50 {percentile(times, 0.5):6.1f} ms   p99 {percentile(times, 0.99):6.1f} ms")


def show_memory(name: str, terminal: Terminal, alone: float) -> None:
    """Print a row: all that is resident, and what it is above the app with a small file."""
    now = terminal.resident()
    print(f"{name:22} {now:8.1f} MiB  {now - alone:.1f} above the app, aim 100")


def measure(path: Path, segments: int, few: Path) -> dict[str, float]:
    """Drive the app and print its figures; seconds until the end and of a filter."""
    with inspected(few) as (terminal, up):
        terminal.settle()
        idle, alone = keyed(terminal, DOWN, UP), terminal.resident()
    with inspected(path) as (terminal, first):
        print(f"first page             {first - up:8.0f} ms   aim 300 (the app with a small file: {up:.0f} ms)")
        press(terminal, "G")
        end = until(terminal, rf"{segments:,} segments")
        print(f"end                    {end:8.2f} s")
        terminal.settle()
        show_keys("idle", idle)
        show_keys("at the end", keyed(terminal, UP, DOWN))
        show_memory("memory", terminal, alone)
        times = {text: filtered(terminal, text, segments) for text in FILTERS}
        for text, seconds in times.items():
            print(f"filter {text:22} {seconds:5.2f} s    {FILTERS[text]}")
        show_memory("memory, filtered", terminal, alone)
    with inspected(path) as (terminal, _):
        show_keys("while it reads", keyed(terminal, DOWN, UP))
    return {"end": end, "filter": max(times.values())}


def main() -> None:
    """Write the capture, measure, and compare."""
    segments = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    against = sys.argv[2] if len(sys.argv) > 2 else "both"
    with tempfile.TemporaryDirectory() as folder:
        few = write_long_capture(Path(folder) / "few.pcapng", 100, flows=10)
        path = Path(os.environ.get("LONG_CAPTURE", ""))
        if not path.is_file():
            path = write_long_capture(Path(folder) / "long.pcapng", segments, FLOWS)
        ours = measure(path, segments, few)
        commands = {"end": (), "filter": ("-Y", f"tcp.port=={FIRST_PORT + 500}")}
        for what, arguments in commands.items():
            if against in (what, "both"):
                theirs = tshark(path, *arguments)
                print(f"{what + ' of tshark':22} {theirs:8.2f} s    ours {ours[what] / theirs:.3f} of it, aim 0.2")


if __name__ == "__main__":
    main()
