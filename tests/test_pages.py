"""The pages for contributors, followed word by word in a copy of the tree: files are written, commands are run."""

from __future__ import annotations

from pathlib import Path

from tests.support.scratch_copy import ROOT, ScratchCopy


def test_a_fault_is_added_as_its_page_says(tmp_path: Path) -> None:
    listed, found, own = ScratchCopy.in_folder(tmp_path).follow(ROOT / "docs" / "adding-a-fault.md")
    assert "the first N bytes of each segment become capitals, as in shout 300" in listed
    assert int(found.split(" passed")[0].split()[-1]) >= 4, "both transports, between sockets and by a scripted clock"
    assert "1 passed" in own


def test_a_dissector_is_added_as_its_page_says(tmp_path: Path) -> None:
    stateless, flow, picture = ScratchCopy.in_folder(tmp_path).follow(ROOT / "docs" / "adding-a-dissector.md")
    assert "2 passed" in stateless
    assert "2 passed" in flow
    assert "1 passed" in picture
