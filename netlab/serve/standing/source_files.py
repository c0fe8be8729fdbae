"""The files whose lines a person reads beside the running server, and the names that they have there."""

from __future__ import annotations

import sys
from pathlib import Path

import netlab.hardening
from netlab.topics.contract import Topic

OWN = "own"
"""Begins the names of a person's own files."""


class SourceFiles:
    """Names by the files in which code and classes stand: ``tcp/server_single.py``, ``hardening/server.py``.

    ``own`` is the person's own file, if that serves: it and what stands beside it are ``own/…``.
    """

    def __init__(self, topic: Topic, own: Path | None = None) -> None:
        self._folders = {str(Path(each).absolute()): "hardening" for each in netlab.hardening.__path__}
        package = sys.modules.get(topic.package)
        if package is not None and package.__file__:
            self._folders[str(Path(package.__file__).absolute().parent)] = topic.name
        if own is not None:
            self._folders[str(own.parent)] = OWN
        self._names: dict[str, str] = {}
        self._classes: dict[type, tuple[tuple[str, type], ...]] = {}

    def name(self, file: str) -> str:
        """The name of a code object's file; empty if nobody reads it there."""
        name = self._names.get(file)
        if name is None:
            name = self._names[file] = self._found(file)
        return name

    def _found(self, file: str) -> str:
        path = Path(file)
        for folder in path.parents:
            if (place := self._folders.get(str(folder))) is not None:
                return f"{place}/{path.relative_to(folder).as_posix()}"
        return ""

    def classes(self, kind: type) -> tuple[tuple[str, type], ...]:
        """The classes that an object's class is made of and that stand in such files, with the file's name."""
        found = self._classes.get(kind)
        if found is None:
            named = [(self.name(_file_of(each)), each) for each in kind.__mro__]
            found = self._classes[kind] = tuple((file, each) for file, each in named if file)
        return found


def _file_of(kind: type) -> str:
    return getattr(sys.modules.get(kind.__module__), "__file__", None) or ""
