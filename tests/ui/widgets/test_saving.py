"""Files that the panes write: what is there is kept, and both before and after that is said."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from netlab.ui.widgets.saving import check_new_file, what_was_there, write_runs


def test_the_name_says_what_becomes_of_a_file_that_is_there(tmp_path: Path) -> None:
    path = tmp_path / "out"
    assert check_new_file(str(path)) == f"a new file {path}"
    path.write_bytes(b"old")
    assert check_new_file(str(path)) == f"a new file {path}; the existing file becomes out~"


@pytest.mark.parametrize(
    ("name", "why"), [("", "type the name"), (".", "is not a regular file"), ("none/out", "no such folder")]
)
def test_where_nothing_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, why: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=why):
        check_new_file(name)


def test_runs_are_written_and_what_was_there_is_kept(tmp_path: Path) -> None:
    path, runs = tmp_path / "out", [memoryview(b"one "), memoryview(b"two")]
    assert write_runs(path, runs) == (7, None)
    path.chmod(0o644)
    assert write_runs(path, runs[:1]) == (4, tmp_path / "out~")
    assert (path.read_bytes(), (tmp_path / "out~").read_bytes()) == (b"one ", b"one two")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert what_was_there(tmp_path / "out~") == f"; what was there is now {tmp_path}/out~"
    assert what_was_there(None) == ""
