"""Two more topics and one more fault: whatever could mind them is tested with them, in a copy of the checkout.

The topics are those of docs/extension, installed beside the package as entry points; the fault is one file in
``netlab/wire/faults``. Nothing else changes. Needs no network: ``python -m tests.extension.check [PYTEST ARGUMENTS]``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COVERED = {
    "tests/topics/test_contract.py": ("reverse", "length"),
    "tests/topics/test_experiments.py": ("reverse",),
    "tests/topics/test_lessons.py": ("reverse", "length"),
    "tests/topics/test_noise.py": ("reverse", "length"),
    "tests/topics/test_noisy_servers.py": ("reverse",),
    "tests/topics/test_promises.py": ("reverse",),
    "tests/topics/test_starved.py": ("reverse",),
    "tests/ui/tab/test_tab.py": ("reverse", "length"),
    "tests/wire/faults": ("swapcase",),
}
"""Tests that find topics and faults by themselves, and which of the additions they must find."""

MINDING = (
    "tests/extension/added.py",
    "tests/test_cli.py",
    "tests/topics/test_discovery.py",
    "tests/lab/test_console.py",
    "tests/commands/test_eject.py",
    "tests/ui/test_screens.py",
    "tests/ui/tab/test_tab_screens.py",
    "tests/ui/tab/test_tab.py",
    "tests/ui/keys/test_hints.py",
    "tests/ui/keys/test_keymap.py",
    "tests/ui/console/test_prompt_completion.py",
    "tests/ui/faults",
)
"""Tests that know names or numbers of topics and faults, and pictures that show them."""


def scratch(folder: Path) -> None:
    """A copy of the checkout with the additions in ``folder``."""
    for part in ("netlab", "tests", "docs"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("pyproject.toml", "README.md", "CHANGELOG.md"):
        shutil.copy(ROOT / part, folder)
    added = ROOT / "docs" / "extension"
    for topic in ("netlab_reverse", "netlab_length"):
        shutil.copytree(added / topic, folder / "site" / topic, ignore=shutil.ignore_patterns("__pycache__"))
    installed = folder / "site" / "netlab_extension-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: netlab-extension\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[netlab.topics]\nreverse = netlab_reverse\nlength = netlab_length\n")
    shutil.copy(added / "faults" / "swapcase.py", folder / "netlab" / "wire" / "faults")


def pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest on the copy; what it prints is shown, or with ``--collect-only`` kept."""
    path = os.pathsep.join([str(folder), str(folder / "site")])
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    kept = subprocess.PIPE if "--collect-only" in arguments else None
    return subprocess.run(command, cwd=folder, env={**os.environ, "PYTHONPATH": path}, text=True, stdout=kept)


def uncovered(folder: Path) -> list[str]:
    """The additions that tests do not find."""
    listed = pytest(folder, "--collect-only", "-o", "addopts=", "-q", *COVERED).stdout.splitlines()
    return [
        f"{path} does not find {name}"
        for path, names in COVERED.items()
        for name in names
        if not any(line.startswith(path) and name in line for line in listed)
    ]


def main(arguments: Sequence[str]) -> int:
    """Run what finds the additions, for them alone, and what knows of others; the exit status."""
    with tempfile.TemporaryDirectory(prefix="netlab-extension-") as name:
        folder = Path(name)
        scratch(folder)
        if arguments:
            return pytest(folder, *arguments).returncode
        if missing := uncovered(folder):
            sys.stderr.write("".join(f"{line}\n" for line in missing))
            return 1
        added = " or ".join({name for names in COVERED.values() for name in names})
        found = pytest(folder, "-n", "3", "-k", added, *COVERED).returncode
        return found or pytest(folder, "-n", "3", *MINDING).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
