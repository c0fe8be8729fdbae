"""From the start of the process to the first paint, until the TCP tab serves, and until its prompt is there, against a
minimal Textual app.

    python -m tests.benchmarks.bench_start [RUNS]

Aims: first paint ≤ 1.8 ×, serving ≤ 2.5 × the minimal app's first paint; ≤ 60 MiB resident.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile

from tests.benchmarks.terminal import Terminal

MINIMAL = """
from textual.app import App
from textual.widgets import Static
class Minimal(App):
    def compose(self):
        yield Static("ready to work")
Minimal().run()
"""


def minimal() -> float:
    terminal = Terminal([sys.executable, "-c", MINIMAL])
    try:
        return terminal.until("ready to work")
    finally:
        terminal.close()


def netlab() -> tuple[float, float, float, float]:
    terminal = Terminal([sys.executable, "-m", "netlab"])
    try:
        painted = terminal.until("TCP")
        serving = terminal.until("serving")
        ready = terminal.until("tcp ❯")
        terminal.settle(1.0)
        return painted, serving, ready, terminal.resident()
    finally:
        terminal.close()


def main(runs: int) -> None:
    with tempfile.TemporaryDirectory() as home:
        os.environ["XDG_DATA_HOME"] = os.environ["XDG_CONFIG_HOME"] = os.environ["XDG_STATE_HOME"] = home
        minimal(), netlab()  # byte code and page cache
        pairs = [(minimal(), netlab()) for _ in range(runs)]
    reference = statistics.median(first for first, _ in pairs)
    print(f"{'':24}{'ms':>8}{'× minimal':>11}{'aim':>7}")
    print(f"{'minimal Textual app':24}{reference * 1000:8.0f}{1:11.2f}")
    for at, (name, aim) in enumerate(
        (("netlab, first paint", 1.8), ("netlab, TCP serving", 2.5), ("netlab, prompt", 3.0))
    ):
        value = statistics.median(ours[at] for _, ours in pairs)
        print(f"{name:24}{value * 1000:8.0f}{statistics.median(o[at] / r for r, o in pairs):11.2f}{aim:7.1f}")
    print(f"{'netlab, resident MiB':24}{statistics.median(ours[3] for _, ours in pairs):8.0f}{'':11}{60:7}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
