"""Writes bytes to a new file, run by run, and reports the result and where an existing file is kept."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from textual.widget import Widget

from netlab.capture.new_file import kept_as, written_whole
from netlab.dissect.export import count_of_bytes
from netlab.dissect.text import safe


def check_new_file(text: str) -> str:
    """Explain a file name; raises `ValueError` if it cannot be written."""
    if not text.strip():
        raise ValueError("type the name of a new file")
    path = Path(text).expanduser()
    if not path.parent.is_dir():
        raise ValueError(f"no such folder: {path.parent}")
    if path.exists() and not path.is_file():
        raise ValueError(f"{path} is not a regular file; choose another name")
    kept = f"; the existing file becomes {kept_as(path).name}" if os.path.lexists(path) else ""
    return f"a new file {path.absolute()}{kept}"


def write_runs(path: Path, runs: Iterable[memoryview]) -> tuple[int, Path | None]:
    """Write the runs to a new file. Returns the bytes written, and where an existing file is kept. Raises `OSError`."""
    with written_whole(path) as new:
        written = sum(new.file.write(run) for run in runs)
    return written, new.kept


def what_was_there(kept: Path | None) -> str:
    """The end of a sentence about a file that was written."""
    return "" if kept is None else f"; what was there is now {safe(str(kept))}"


def save_runs(widget: Widget, path: Path, runs: Iterable[memoryview], what: str) -> None:
    """Write in a thread, and report the result as a notification of ``widget``'s app."""

    def work() -> None:
        try:
            written, kept = write_runs(path, runs)
            words = f"wrote {count_of_bytes(written)} of {what} to {safe(str(path))}{what_was_there(kept)}"
            severity = "information"
        except OSError as problem:
            words, severity = f"{safe(str(path))} was not written: {problem.strerror or problem}", "error"
        widget.app.call_from_thread(widget.notify, words, severity=severity, markup=False)

    widget.run_worker(work, name="save bytes", group="save", thread=True, exit_on_error=False)
