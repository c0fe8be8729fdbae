"""The lines typed into a console, kept across runs, without secrets. It knows no widget."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

KEPT = 500


class History:
    """Lines from the oldest to the newest, and a cursor that ↑ and ↓ move.

    ``secrets`` are the names of lab commands whose lines (``:authkey …``) are stored neither here nor in the file.
    If the file cannot be read or written, ``problem`` says so, and the history is kept in memory.
    """

    def __init__(self, file: Path | None, secrets: Collection[str] = ()) -> None:
        self._file = file
        self._secrets = frozenset(name.replace("-", "_") for name in secrets)
        self.problem = ""
        self._lines: list[str] = self._read()
        self._cursor = len(self._lines)
        self._draft = ""

    @property
    def lines(self) -> tuple[str, ...]:
        """All lines, oldest first."""
        return tuple(self._lines)

    def add(self, line: str) -> None:
        """Add an entered line; the cursor moves behind the newest."""
        if line and not self._is_secret(line) and self._lines[-1:] != [line]:
            self._lines.append(line)
            del self._lines[:-KEPT]
            self._write(line)
        self._cursor = len(self._lines)

    def older(self, current: str) -> str:
        """The previous line, or ``current`` if there is none. The line being typed is kept for `newer`."""
        if self._cursor == len(self._lines):
            self._draft = current
        if self._cursor == 0:
            return current
        self._cursor -= 1
        return self._lines[self._cursor]

    def newer(self, current: str) -> str:
        """The next line; after the newest, the line that was being typed."""
        if self._cursor >= len(self._lines):
            return current
        self._cursor += 1
        return self._lines[self._cursor] if self._cursor < len(self._lines) else self._draft

    def _is_secret(self, line: str) -> bool:
        words = line[1:].split(maxsplit=1) if line.startswith(":") else []
        return bool(words) and words[0].replace("-", "_") in self._secrets

    def _read(self) -> list[str]:
        if self._file is None:
            return []
        try:
            text = self._file.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return []
        except OSError as error:
            self._give_up(error)
            return []
        lines = [line for line in text.splitlines() if line]
        if len(lines) > 2 * KEPT:
            self._rewrite(lines[-KEPT:])
        return lines[-KEPT:]

    def _rewrite(self, lines: list[str]) -> None:
        assert self._file is not None
        try:
            self._file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        except OSError as error:
            self._give_up(error)

    def _write(self, line: str) -> None:
        if self._file is None:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
                file.write(line + "\n")
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self.problem = f"the history is not saved: {error.strerror or error} ({self._file})"
        self._file = None
