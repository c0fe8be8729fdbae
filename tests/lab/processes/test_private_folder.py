from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from netlab.lab.processes import private_folder
from netlab.lab.processes.private_folder import PREFIX, PrivateFolder


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(private_folder, "_MEMORY", tmp_path)


def test_it_is_private_and_goes(tmp_path: Path) -> None:
    private = PrivateFolder(1024)
    assert private.path.parent == tmp_path
    assert stat.S_IMODE(private.path.stat().st_mode) == 0o700
    (private.path / "x").touch()
    private.remove()
    private.remove()
    assert list(tmp_path.iterdir()) == []


def test_without_room_in_memory_it_is_where_temporary_files_go(tmp_path: Path) -> None:
    private = PrivateFolder(1 << 62)
    try:
        assert private.path.parent != tmp_path
    finally:
        private.remove()


def test_what_a_killed_lab_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    living = PrivateFolder(1)
    names = (f"{PREFIX}77-a1b2c3d4", f"{PREFIX}77-young_00", f"{PREFIX}77-shared00", f"{PREFIX}notes", "other")
    stale, young, shared, notes, foreign = (tmp_path / name for name in names)
    for each in (stale, young, shared, notes, foreign):
        each.mkdir(mode=0o700)
        (each / "capture.pcapng").touch()
    shared.chmod(0o755)
    for each in (stale, shared, notes, foreign, living.path):
        os.utime(each, (1, 1))
    PrivateFolder(1).remove()
    assert sorted(tmp_path.iterdir()) == sorted([living.path, young, shared, notes, foreign])
    living.remove()
