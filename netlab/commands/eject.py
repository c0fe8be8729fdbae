"""``netlab eject``: writes a topic's server and client out as files that run without netlab."""

from __future__ import annotations

import argparse
import errno
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from netlab.topics.contract import Certificates, Topic
from netlab.topics.discovery import topic_named
from netlab.topics.recipe import hardening_beneath, recipe_files


def main(argv: Sequence[str], certificates: Certificates | None = None) -> int:
    """Run ``netlab eject`` with its arguments; return the exit status."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    try:
        topic = topic_named(arguments.topic)
    except KeyError as error:
        parser.error(str(error.args[0]))
    if arguments.model and arguments.model not in topic.models:
        parser.error(f"{topic.name} has no model {arguments.model!r}; there are {', '.join(topic.models)}")
    try:
        _check(topic, arguments.folder, arguments.model, arguments.force)
        more: tuple[Path, ...] = ()
        if topic.certificates and certificates is not None:
            more = (certificates(arguments.folder / "certs"),)  # where the recipes look; first, as it may be refused
        written = eject(topic, arguments.folder, model=arguments.model, force=arguments.force) + more
    except FileExistsError as error:
        sys.stderr.write(f"netlab eject: {error.filename} is there already; --force replaces it\n")
        return 1
    except OSError as error:
        reason = f"cannot write {error.filename}: {error.strerror}" if error.filename else str(error)
        sys.stderr.write(f"netlab eject: {reason}\n")
        return 1
    sys.stdout.write("".join(f"{path}\n" for path in written))
    return 0


def build_parser() -> argparse.ArgumentParser:
    """The command line of ``netlab eject``."""
    parser = argparse.ArgumentParser(
        prog="netlab eject", description="Write a topic's server and client out as plain files that run without netlab."
    )
    parser.add_argument("topic", metavar="TOPIC")
    parser.add_argument("folder", metavar="DIR", type=Path, nargs="?", default=Path(), help="default: here")
    parser.add_argument("--model", metavar="MODEL", default="", help="only this model's server, of several")
    parser.add_argument("--force", action="store_true", help="replace files that exist")
    return parser


def eject(topic: Topic, folder: Path, *, model: str = "", force: bool = False) -> tuple[Path, ...]:
    """Write a topic's files, each named after the topic, and what they use of ``hardening/``; their paths.

    All or none, unless ``force`` replaces files. Raises `FileExistsError` for the first that is there, before anything
    is written; the files of ``hardening/`` may be there if they are the same.
    """
    targets = _check(topic, folder, model, force)
    for path, text in targets.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if force:
            path.unlink(missing_ok=True)  # a symbolic link is replaced, and what it leads to stays as it is
        elif _is_there(path, text):
            continue
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    return tuple(targets)


def _check(topic: Topic, folder: Path, model: str, force: bool) -> dict[Path, str]:
    """Which file gets which text; raises `OSError` if that cannot be."""
    parts = recipe_files(topic, model)
    beneath = {"__init__": ""} | hardening_beneath(topic, parts)
    texts = {folder / f"{topic.name}_{part}.py": topic.text(f"{part}.py") for part in parts}
    texts |= {folder / "hardening" / f"{file}.py": text for file, text in beneath.items()}
    targets = {path: standing_alone(topic, text) for path, text in texts.items()}
    for needed in dict.fromkeys((folder, *(path.parent for path in targets))):
        if (needed.exists() or needed.is_symlink()) and not needed.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "is not a folder", str(needed))
    for path, text in targets.items() if not force else ():
        if (path.exists() or path.is_symlink()) and not _is_there(path, text):
            raise FileExistsError(errno.EEXIST, "is there already", str(path))
    return targets


def _is_there(path: Path, text: str) -> bool:
    """Whether this part of ``hardening/`` was written before, with another topic."""
    if path.parent.name != "hardening" or path.is_symlink() or not path.is_file():
        return False
    return path.read_bytes() == text.encode()


def standing_alone(topic: Topic, text: str) -> str:
    """A recipe's text with the imports that it has outside of netlab."""
    text = text.replace("netlab.hardening", "hardening")
    return re.sub(rf"\b{re.escape(topic.package)}\.(\w+)", rf"{topic.name}_\1", text)
