"""Writes a topic's recipe out as plain files that run without netlab."""

from __future__ import annotations

import errno
import re
from pathlib import Path

from netlab.topics.contract import Topic
from netlab.topics.recipe import hardening_beneath, recipe_files, server_file


def eject(topic: Topic, folder: Path, *, model: str = "", force: bool = False) -> tuple[Path, ...]:
    """Write a topic's files, each named after the topic, and what they use of ``hardening/``; their paths.

    All or none, unless ``force`` replaces files. Raises `FileExistsError` for the first that is there, before anything
    is written; the files of ``hardening/`` may be there if they are the same.
    """
    targets = check_targets(topic, folder, model, force)
    for path, text in targets.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if force:
            path.unlink(missing_ok=True)  # a symbolic link is replaced, and what it leads to stays as it is
        elif _is_there(path, text):
            continue
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    return tuple(targets)


def check_targets(topic: Topic, folder: Path, model: str, force: bool) -> dict[Path, str]:
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


def ejected_server(topic: Topic, folder: Path, model: str) -> Path:
    """Where `eject` writes a model's server."""
    return folder / f"{topic.name}_{server_file(topic, model)}.py"
