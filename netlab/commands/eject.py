"""``netlab eject``: writes a topic's server and client out as files that run without netlab."""

from __future__ import annotations

import argparse
import errno
import sys
from collections.abc import Sequence
from pathlib import Path

from netlab.topics.contract import Certificates, Topic
from netlab.topics.discovery import topic_named

RECIPES = ("server", "client")


def main(argv: Sequence[str], certificates: Certificates | None = None) -> int:
    """Run ``netlab eject`` with its arguments; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="netlab eject", description="Write a topic's server and client out as plain files that run without netlab."
    )
    parser.add_argument("topic", metavar="TOPIC")
    parser.add_argument("folder", metavar="DIR", type=Path, nargs="?", default=Path(), help="default: here")
    parser.add_argument("--force", action="store_true", help="replace files that are there")
    arguments = parser.parse_args(argv)
    try:
        topic = topic_named(arguments.topic)
    except KeyError as error:
        parser.error(str(error.args[0]))
    try:
        _check(topic, arguments.folder, arguments.force)
        more: tuple[Path, ...] = ()
        if topic.certificates and certificates is not None:
            more = (certificates(arguments.folder / "certs"),)  # where the recipes look; first, as it may be refused
        written = eject(topic, arguments.folder, force=arguments.force) + more
    except FileExistsError as error:
        sys.stderr.write(f"netlab eject: {error.filename} is there already; --force replaces it\n")
        return 1
    except OSError as error:
        reason = f"cannot write {error.filename}: {error.strerror}" if error.filename else str(error)
        sys.stderr.write(f"netlab eject: {reason}\n")
        return 1
    sys.stdout.write("".join(f"{path}\n" for path in written))
    return 0


def eject(topic: Topic, folder: Path, *, force: bool = False) -> tuple[Path, ...]:
    """Write ``NAME_server.py`` and ``NAME_client.py``; their paths. All or none, unless ``force`` replaces files.

    Raises `FileExistsError` for the first that is there, before anything is written.
    """
    targets = _check(topic, folder, force)
    folder.mkdir(parents=True, exist_ok=True)
    for path, part in targets.items():
        if force:
            path.unlink(missing_ok=True)  # a symbolic link is replaced, and what it leads to stays as it is
        with path.open("x", encoding="utf-8") as file:
            file.write(topic.text(f"{part}.py"))
    return tuple(targets)


def _check(topic: Topic, folder: Path, force: bool) -> dict[Path, str]:
    """Which part goes into which file; raises `OSError` if that cannot be."""
    targets = {folder / f"{topic.name}_{part}.py": part for part in RECIPES}
    for path in targets if not force else ():
        if path.exists() or path.is_symlink():
            raise FileExistsError(errno.EEXIST, "is there already", str(path))
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "is not a folder", str(folder))
    return targets
