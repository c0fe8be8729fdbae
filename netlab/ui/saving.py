"""Writes bytes to a new file, run by run, and says what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from textual.widget import Widget

from netlab.dissect.export import count_of_bytes
from netlab.dissect.text import safe


def check_new_file(text: str) -> str:
    """How a file name reads; `ValueError` where nothing could be written there."""
    if not text.strip():
        raise ValueError("type the name of a new file")
    path = Path(text).expanduser()
    if path.exists():
        raise ValueError(f"{path} exists; choose another name")
    if not path.parent.is_dir():
        raise ValueError(f"there is no folder {path.parent}")
    return f"a new file {path.absolute()}"


def write_runs(path: Path, runs: Iterable[memoryview]) -> int:
    """Write the runs into a new file (never over an old one); bytes written. `OSError` as it came."""
    with path.open("xb") as file:
        return sum(file.write(run) for run in runs)


def save_runs(widget: Widget, path: Path, runs: Iterable[memoryview], what: str) -> None:
    """Write in a thread and tell the result as a notification of ``widget``'s app."""

    def work() -> None:
        try:
            told, severity = (
                f"wrote {count_of_bytes(write_runs(path, runs))} of {what} to {safe(str(path))}",
                "information",
            )
        except OSError as problem:
            told, severity = f"{safe(str(path))} was not written: {problem.strerror or problem}", "error"
        widget.app.call_from_thread(widget.notify, told, severity=severity, markup=False)

    widget.run_worker(work, name="save bytes", group="save", thread=True, exit_on_error=False)
