"""Pythons without netlab: the running one, and those of 3.11 to 3.13 that are installed."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.support.waiting import PATIENCE

MINORS = (11, 12, 13)
ALONE = ("-E", "-s", "-S")
"""Without PYTHONPATH and site-packages: only the standard library is there, and what lies beside the script."""


@functools.cache
def pythons() -> dict[str, str]:
    """By version, which is never empty: the running one is there."""
    found = {f"3.{sys.version_info.minor}": sys.executable}
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for minor in MINORS:
        installed = [str(path) for path in sorted(root.glob(f"versions/3.{minor}*/bin/python3.{minor}"))]
        for candidate in (shutil.which(f"python3.{minor}"), *installed):
            if f"3.{minor}" not in found and candidate and _works(candidate, minor):
                found[f"3.{minor}"] = candidate
    return found


def _works(python: str, minor: int) -> bool:
    """Whether it is what it is called; a launcher of pyenv may not be. It needs `ssl`, as some builds lack it."""
    code = f"import ssl, sys; sys.exit(sys.version_info[:2] != (3, {minor}))"
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        return subprocess.run([python, *ALONE, "-c", code], capture_output=True, timeout=PATIENCE).returncode == 0
    return False


def run_alone(python: str, *arguments: str, input: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a script and its arguments, or ``-c`` and a program, with nothing but the standard library."""
    command = [python, *ALONE, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, input=input, check=False)


@contextlib.contextmanager
def serving_alone(python: str, script: Path, *options: str) -> Iterator[str]:
    """A server's script, running; its HOST:PORT."""
    command = [python, *ALONE, str(script), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            said = re.fullmatch(r"listening on (127\.0\.0\.1:\d+)\n", line)
            assert said, (command, line)
            yield said[1]
        finally:
            process.kill()


def options_of(python: str, script: Path) -> Sequence[str]:
    """The options that a script's help names."""
    told = run_alone(python, str(script), "--help")
    assert told.returncode == 0, told.stderr
    return re.findall(r"^  (?:-h, )?(--[a-z-]+)", told.stdout, re.MULTILINE)
