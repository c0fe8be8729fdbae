"""From the start of the process to the first paint, until the TCP tab serves, and until its prompt is there, against a
minimal Textual app.

    python -m tests.benchmarks.bench_start [RUNS]

Aims: first paint ≤ 1.5 ×, serving ≤ 1.8 × the minimal app's first paint; resident ≤ 45 MiB the app alone, ≤ 75 MiB with
both children (RSS: pages that processes share count in each; the share-alike PSS stands beside it).
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


Measured = tuple[float, float, float, float, float, float, float]


def netlab() -> Measured:
    terminal = Terminal([sys.executable, "-m", "netlab"])
    try:
        painted = terminal.until("TCP")
        serving = terminal.until("serving")
        ready = terminal.until("tcp ❯")
        terminal.settle(1.0)
        alone, both = terminal.memory(), terminal.memory(children=True)
        return painted, serving, ready, alone[0], both[0], alone[1], both[1]
    finally:
        terminal.close()


def main(runs: int) -> None:
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed netlab has byte code, as Textual has
    with tempfile.TemporaryDirectory() as home:
        os.environ["XDG_DATA_HOME"] = os.environ["XDG_CONFIG_HOME"] = os.environ["XDG_STATE_HOME"] = home
        minimal(), netlab()  # byte code and page cache
        pairs = [(minimal(), netlab()) for _ in range(runs)]
    reference = statistics.median(first for first, _ in pairs)
    print(f"{'':24}{'ms':>8}{'× minimal':>11}{'aim':>7}")
    print(f"{'minimal Textual app':24}{reference * 1000:8.0f}{1:11.2f}")
    for at, (name, aim) in enumerate(
        (("netlab, first paint", 1.5), ("netlab, TCP serving", 1.8), ("netlab, prompt", 3.0))
    ):
        value = statistics.median(ours[at] for _, ours in pairs)
        print(f"{name:24}{value * 1000:8.0f}{statistics.median(o[at] / r for r, o in pairs):11.2f}{aim:7.1f}")
    for at, (name, most) in enumerate((("app, MiB", 45), ("app and children, MiB", 75)), start=3):
        resident, shared = (statistics.median(ours[place] for _, ours in pairs) for place in (at, at + 2))
        print(f"{name:24}{resident:8.1f}{f'PSS {shared:.1f}':>11}{most:7}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
