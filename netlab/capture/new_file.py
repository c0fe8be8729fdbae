"""The one rule for files that netlab writes at a place that a person chose: nothing that is there is lost.

What is there already is kept beside the new file as ``NAME~``, or ``NAME~2``, ``NAME~3`` … if that is taken, and the
caller says so. A symbolic link is kept itself; nothing is written through it. A device, a pipe or a folder is refused.
New files are readable by their owner only, from the first byte. Every function raises `OSError`.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

_TRIES: Final = 100
"""How often somebody else may put a file in the new one's place meanwhile."""
_NO_HARD_LINKS: Final = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK})


class NewFile:
    """A file being written; once it is in its place, ``kept`` is the new path of the file that was there, or None."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.kept: Path | None = None


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[NewFile]:
    """A file beside ``path`` that takes its place at the end of the block, or leaves no trace if that fails."""
    _refuse_special(path)
    import tempfile  # late: it is slow to import, and most processes write no such file

    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            new = NewFile(file)
            yield new
            file.flush()
            os.fsync(file.fileno())  # or a full disk would show only after the old file has moved
        new.kept = _put_in_place(Path(name), path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def keep(path: Path) -> Path | None:
    """Move what is there out of the way; its new path, or None if there is nothing to lose."""
    _refuse_special(path)
    if not os.path.lexists(path):
        return None
    if not path.is_symlink() and path.stat().st_size == 0:  # as mktemp leaves it
        path.unlink()
        return None
    for _ in range(_TRIES):
        kept = kept_as(path)
        with contextlib.suppress(FileExistsError):
            _move(path, kept)
            return kept
    raise FileExistsError(errno.EEXIST, "others keep writing beside it", str(path))


def kept_as(path: Path) -> Path:
    """The name under which what is at ``path`` would be kept: the first of ``NAME~``, ``NAME~2`` … that is free."""
    number = 1
    while os.path.lexists(kept := path.with_name(f"{path.name}~{number if number > 1 else ''}")):
        number += 1
    return kept


def _refuse_special(path: Path) -> None:
    """Raise for what a file cannot replace, also if a symbolic link leads to it."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is a device or a pipe, which a file must not replace", str(path))


def _put_in_place(draft: Path, path: Path) -> Path | None:
    """Give a finished file its name; the new path of what was there before."""
    kept = None
    for _ in range(_TRIES):
        kept = keep(path) or kept
        with contextlib.suppress(FileExistsError):
            _move(draft, path)
            return kept
    raise FileExistsError(errno.EEXIST, "others keep writing it", str(path))


def _move(source: Path, target: Path) -> None:
    """Rename without replacing: `FileExistsError` if the target exists. A link is moved, not its target."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        source.rename(target)
    else:
        source.unlink()
