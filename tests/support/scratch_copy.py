"""A copy of the source tree in which a test can add files, and run commands there as a person would."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "__snapshots__", ".*", "*.svg")
_BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# (\S+)\n")


@dataclass(frozen=True)
class ScratchCopy:
    """A copy of netlab and its tests."""

    folder: Path

    @classmethod
    def in_folder(cls, folder: Path) -> ScratchCopy:
        for name in ("netlab", "tests"):
            shutil.copytree(ROOT / name, folder / name, ignore=_LEFT_OUT)
        shutil.copy(ROOT / "pyproject.toml", folder)
        return cls(folder)

    def write(self, path: str, text: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def run(self, *command: str) -> str:
        """Run a command in it; its standard output. It must succeed."""
        environment = dict(os.environ)
        environment["PYTHONPATH"] = str(self.folder)
        environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
        for name in [name for name in environment if name.startswith(("PYTEST_", "COV_"))]:
            del environment[name]
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=240, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    def follow(self, page: Path) -> list[str]:
        """Do what a page says, block by block: write its files, run its commands; what the commands printed."""
        printed = []
        for language, text in _BLOCK.findall(page.read_text(encoding="utf-8")):
            if language == "sh":
                printed.append(self.run("sh", "-ec", text))
            else:
                named = _FILE.match(text)
                assert named is not None, f"{page.name}: a block of code that names no file"
                self.write(named[1], text)
        return printed
