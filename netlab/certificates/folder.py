"""A folder of certificates: whose it is, and how it is filled without deleting anything.

netlab writes into an empty folder, and into one that it has filled before: a marker there lists what it wrote, in the
format of sha256sum(1). Any other folder is a person's own, and is only read. This module knows files by their names and
bytes; it knows no certificate.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from netlab.platforms import NO_LINK, lock

MARKER = ".made-by-netlab"
LOCK = ".lock"
_DRAFT = ".new"
_NOT_CONTENT = frozenset({LOCK, MARKER + _DRAFT})
Files = Mapping[str, tuple[bytes, int]]
"""Each file by its name below the folder: its content and mode."""


class Owner(Enum):
    """Who filled a folder."""

    NOBODY = "nobody"
    NETLAB = "netlab"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class CertificateFolder:
    """A folder that is there or can be made. ``ignored`` names files that do not make it a person's own."""

    path: Path
    ignored: frozenset[str] = frozenset()

    @property
    def owner(self) -> Owner:
        """Who filled it; raises `OSError` if it cannot be read, or is not a folder."""
        try:
            names = {entry.name for entry in os.scandir(self.path)}
        except FileNotFoundError:
            return Owner.NOBODY
        if MARKER in names and _is_file(self.path / MARKER):
            return Owner.NETLAB
        return Owner.PERSON if names - _NOT_CONTENT - self.ignored else Owner.NOBODY

    def changed(self, name: str) -> bool:
        """Whether a file exists that netlab did not write in this form."""
        path = self.path / name
        if path.is_symlink():
            return True
        try:
            return _digest(path.read_bytes()) not in self._listed().get(name, ())
        except FileNotFoundError:
            return False

    def fill(self, files: Files) -> list[Path]:
        """Write the files; a foreign file in their place is kept beside them, and its new path returned.

        The caller holds `alone`. The marker comes first, so that a folder that was half filled is still netlab's.
        """
        kept = [path for name in files if (path := self._keep(name)) is not None]
        old, new = self._listed(), {name: {_digest(content)} for name, (content, _) in files.items()}
        self._mark({name: old.get(name, set()) | new.get(name, set()) for name in sorted({*old, *new})})
        for name, (content, mode) in files.items():
            path = self.path / name
            _make_folder(path.parent)
            _write(path, content, mode)
        self._mark(new)
        return kept

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Make the folder if need be, and let one process at a time fill it, if the system can lock files."""
        _make_folder(self.path, parents=True)
        descriptor = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT | NO_LINK, 0o600)
        try:
            lock(descriptor, wait=True)
            yield
        finally:
            os.close(descriptor)

    def _listed(self) -> dict[str, set[str]]:
        """The digests in the marker, by the file's name."""
        found: dict[str, set[str]] = {}
        with suppress(FileNotFoundError):
            for line in (self.path / MARKER).read_text("utf-8", "replace").splitlines():
                digest, _, name = line.partition("  ")
                found.setdefault(name, set()).add(digest)
        return found

    def _mark(self, digests: Mapping[str, set[str]]) -> None:
        lines = (f"{digest}  {name}\n" for name, each in digests.items() for digest in sorted(each))
        _write(self.path / MARKER, "".join(lines).encode(), 0o644)

    def _keep(self, name: str) -> Path | None:
        """Move a file that netlab did not write out of the way: ``NAME~``, ``NAME~2`` …; its new path."""
        path = self.path / name
        if not self.changed(name):
            return None
        number = 1
        while os.path.lexists(kept := path.with_name(f"{path.name}~{number if number > 1 else ''}")):
            number += 1
        path.rename(kept)
        return kept


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _make_folder(path: Path, *, parents: bool = False) -> None:
    """Make a folder that only its owner can read, unless it exists; a symbolic link is refused."""
    if path.is_symlink():
        raise OSError(errno.ELOOP, f"is a symbolic link to {path.readlink()}", str(path))
    path.mkdir(parents=parents, exist_ok=True, mode=0o700)


def _write(path: Path, content: bytes, mode: int) -> None:
    """Write it whole or not at all, never through a link, and never readable by others even for a moment."""
    draft = path.with_name(path.name + _DRAFT)
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
