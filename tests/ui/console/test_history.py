"""The console's history: pure, with a file of its own."""

from __future__ import annotations

import stat
from pathlib import Path

from netlab.ui.console.history import KEPT, History


def test_lines_come_back_in_another_run(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "tcp.txt"
    first = History(file)
    first.add("Hello")
    first.add("send(b'x')")
    assert History(file).lines == ("Hello", "send(b'x')")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_older_and_newer_keep_what_was_being_typed(tmp_path: Path) -> None:
    history = History(None)
    history.add("one")
    history.add("two")
    assert history.older("half") == "two"
    assert history.older("two") == "one"
    assert history.older("one") == "one"
    assert history.newer("one") == "two"
    assert history.newer("two") == "half"
    assert history.newer("half") == "half"


def test_a_line_entered_twice_in_a_row_is_kept_once() -> None:
    history = History(None)
    history.add("one")
    history.add("one")
    assert history.lines == ("one",)


def test_secrets_are_never_stored(tmp_path: Path) -> None:
    file = tmp_path / "tcp.txt"
    history = History(file, ["authkey", "shared_secret"])
    for line in (":authkey hunter2", ":shared-secret hunter2", ":authkey", "hello"):
        history.add(line)
    assert history.lines == ("hello",)
    assert "hunter2" not in file.read_text()


def test_a_file_that_cannot_be_written_is_told_and_the_history_goes_on(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("not a folder")
    history = History(tmp_path / "folder" / "tcp.txt")
    history.add("one")
    history.add("two")
    assert "the history is not saved" in history.problem
    assert history.lines == ("one", "two")


def test_it_is_bounded_in_memory_and_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "tcp.txt"
    file.write_text("".join(f"line {n}\n" for n in range(5 * KEPT)))
    history = History(file)
    assert len(history.lines) == KEPT
    assert len(file.read_text().splitlines()) == KEPT
    assert history.lines[-1] == f"line {5 * KEPT - 1}"
