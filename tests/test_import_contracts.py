"""The import contracts hold, and would say so if they did not: a forbidden import in a copy of the code is named."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.folders import ROOT


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    environment = {**os.environ, "PYTHONPATH": str(folder), "NO_COLOR": "1"}
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache"], cwd=folder, env=environment, capture_output=True, text=True
    )


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The code and its contracts, to be spoilt."""
    shutil.copytree(ROOT / "netlab", tmp_path / "netlab", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_contracts_hold(copied: Path) -> None:
    done = _lint(copied)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("ui/bytes/spans.py", "netlab.ui.wire.wire_list"),
        ("lab/processes/child.py", "netlab.lab.client.session"),
        ("topics/tcp/server.py", "netlab.capture.model"),
        ("wire/loop.py", "netlab.lab.lab"),
        ("capture/model.py", "textual"),
    ],
)
def test_a_forbidden_import_is_found(copied: Path, module: str, forbidden: str) -> None:
    with (copied / "netlab" / module).open("a") as file:
        file.write(f"\nimport {forbidden}\n")
    done = _lint(copied)
    assert done.returncode == 1
    assert "BROKEN" in done.stdout
    assert forbidden in done.stdout
