"""The byte view on 1 GiB: first page, End, page keys, also of a view with a step, memory; beside hexyl and xxd printing
the same page.

    python -m tests.benchmarks.bench_bytes [KEYS]

Aims: first page within 100 ms of a running app; page key p50 ≤ 10 ms, p99 ≤ 30 ms; ≤ 20 MiB above the app. The keys are
first timed on 64 KiB, which is the idle app's own time.
"""

from __future__ import annotations

import gc
import mmap
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from textual.app import App, ComposeResult
from textual.filter import LineFilter

from netlab.commands.app import FRAMES, RARELY
from netlab.lab.views.view_table import ViewTable
from netlab.ui.bytes.byte_source import ViewSource
from netlab.ui.bytes.inspector import Inspector
from netlab.ui.bytes.viewed_bytes import ViewedBytes
from netlab.ui.widgets.control_filter import CONTROL_FILTER
from tests.benchmarks.terminal import Terminal, percentile

SIZE = 1 << 30
PAGE = 32 * 16
LAST = b"the very end ok."
LITTLE = 1 << 16


class ByteApp(App[None]):
    """The inspector alone. F2 opens the file, so that opening can be timed in a running app; F3 a view of it,
    F4 the little of it that the idle app is timed on."""

    BINDINGS = [("f2", "open", "open"), ("f3", "step", "step"), ("f4", "little", "little")]  # noqa: RUF012 - as Textual's own examples have it

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), CONTROL_FILTER]

    def compose(self) -> ComposeResult:
        yield Inspector()

    def action_open(self) -> None:
        self._show(self._mapped())

    def action_little(self) -> None:
        self._show(memoryview(bytes(self._mapped()[-LITTLE:])))

    def _show(self, view: memoryview) -> None:
        pane = self.query_one(Inspector)
        pane.show_source(ViewSource(view), f"bytes of {len(view)}")
        pane.focus()

    def action_step(self) -> None:
        table = ViewTable("z", lambda: None)
        table.keep("w", self._mapped()[4:].cast("I")[::3])
        (group,) = table.table()
        assert group.buffer is not None
        self.query_one(Inspector).show_view(ViewedBytes(table.bytes_of, group.buffer, group.views[0]))

    def _mapped(self) -> memoryview:
        with Path(self.path).open("rb") as file:
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def printed(command: list[str]) -> float:
    """Milliseconds that a command takes to print a page: the best of five."""
    times = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        times.append(time.perf_counter() - began)
    return min(times) * 1000


def keyed(terminal: Terminal, key: str, count: int) -> list[float]:
    """Milliseconds from each key to the first byte of what it painted."""
    times = []
    for _ in range(count):
        times.append(terminal.key(key) * 1000)
        terminal.settle(0.03)
    return times


def type_keys(terminal: Terminal, keys: int, of: str = "") -> None:
    """Time page and cursor keys, and print their rows."""
    for name, key in (("page key", "\x1b[6~"), ("cursor key", "\x1b[C")):
        times = keyed(terminal, key, keys)
        p50, p99 = percentile(times, 0.5), percentile(times, 0.99)
        print(f"{name + of:16}   p50 {p50:6.1f} ms   p99 {p99:6.1f} ms   aim 10, 30")


def measure(path: str, keys: int) -> None:
    """Drive the app in a pseudo-terminal and print the table."""
    terminal = Terminal([sys.executable, "-m", "tests.benchmarks.bench_bytes", "--app", path])
    try:
        terminal.until("at the cursor appear here")
        terminal.settle()
        before = terminal.resident()
        os.write(terminal.master, b"\x1bOS")  # F4
        terminal.settle()
        type_keys(terminal, keys, ", idle")
        terminal.began = time.perf_counter()
        os.write(terminal.master, b"\x1bOQ")  # F2
        print(f"first page of 1 GiB     {terminal.until('first page of it') * 1000:8.1f} ms   aim 100")
        terminal.settle()
        terminal.began = time.perf_counter()
        os.write(terminal.master, b"G")
        print(f"End of 1 GiB            {terminal.until(LAST.decode()) * 1000:8.1f} ms")
        terminal.settle()
        os.write(terminal.master, b"g")
        terminal.settle()
        type_keys(terminal, keys)
        os.write(terminal.master, b"\x1bOR")  # F3
        terminal.until("not shown")
        terminal.settle()
        type_keys(terminal, keys, ", step")
        print(f"memory above the app    {terminal.resident() - before:8.1f} MiB  aim 20")
    finally:
        terminal.close()


def main() -> None:
    """Make a sparse file, measure, and compare."""
    keys = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    os.environ["TEXTUAL_FPS"] = FRAMES  # as the app has it
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "gigabyte")
        with Path(path).open("wb") as file:
            file.write(b"first page of it")
            file.truncate(SIZE)
            file.seek(SIZE - len(LAST))
            file.write(LAST)
        measure(path, keys)
        end = str(SIZE - PAGE)
        for tool, command in {
            "hexyl": ["hexyl", "--skip", end, "--length", str(PAGE), path],
            "xxd": ["xxd", "-s", end, "-l", str(PAGE), path],
        }.items():
            if shutil.which(tool):
                print(f"{tool} prints that page   {printed(command):8.1f} ms   (a process, started and ended)")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--app"]:
        gc.freeze()  # as the app has it
        gc.set_threshold(*RARELY)
        ByteApp(sys.argv[2]).run()
    else:
        main()
