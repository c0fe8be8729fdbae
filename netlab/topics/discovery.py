"""Finds the topics: the folders beside this file, and those of installed packages.

A topic that fails to import does not hide the others: it becomes a `Broken`, which the app shows as a tab.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

from netlab.topics.contract import Topic

GROUP = "netlab.topics"
LONGEST_NAME = 40
"""The most characters of an unknown name that an error repeats."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A topic that could not be imported: its name and why."""

    name: str
    reason: str


def _load(name: str, module: str) -> Topic | Broken:
    try:
        topic = import_module(module).TOPIC
    except Exception as error:  # noqa: BLE001 - a foreign module may raise anything; its tab shows it
        return Broken(name, f"{type(error).__name__}: {error}")
    if not isinstance(topic, Topic):
        return Broken(name, f"TOPIC is a {type(topic).__name__}, not a Topic")
    return topic


def _built_in() -> list[str]:
    return sorted(file.parent.name for file in Path(__file__).parent.glob("*/__init__.py"))


@cache
def find_topics() -> tuple[Topic | Broken, ...]:
    """All topics, sorted by ``order``, then name; broken ones last."""
    found = [_load(name, f"{__package__}.{name}") for name in _built_in()]
    found += [_load(name, module) for name, module in _brought()]
    return tuple(sorted(found, key=lambda t: (1, 0, t.name) if isinstance(t, Broken) else (0, t.order, t.name)))


def _brought() -> list[tuple[str, str]]:
    """The topics of other packages: their names and modules."""
    if not _others_bring_topics():
        return []
    from importlib.metadata import entry_points

    return [(entry.name, entry.module) for entry in entry_points(group=GROUP)]


def _others_bring_topics() -> bool:
    """Whether an installed package has entry points in our group.

    Reading those few small files takes a millisecond. Importing `importlib.metadata` takes a tenth of the time to the
    first paint, so it is imported only if one of the files names our group, or a path is not a folder (a zip).
    """
    for entry in sys.path:
        folder = Path(entry)
        if folder.is_file():
            return True
        for file in folder.glob("*.*-info/entry_points.txt"):
            with suppress(OSError):
                if GROUP.encode() in file.read_bytes():
                    return True
    return False


def topics() -> dict[str, Topic]:
    """The topics that work, by name, in tab order."""
    return {topic.name: topic for topic in find_topics() if isinstance(topic, Topic)}


def topic_named(name: str) -> Topic:
    """One topic, without importing the others. `KeyError` lists the names."""
    module = f"{__package__}.{name}" if name in _built_in() else dict(_brought()).get(name, "")
    if module:
        loaded = _load(name, module)
        if isinstance(loaded, Topic):
            return loaded
        raise KeyError(f"the topic {name} does not load: {loaded.reason}")
    known = topics()
    if name not in known:
        shown = name if len(name) <= LONGEST_NAME else name[:LONGEST_NAME] + "…"
        raise KeyError(f"no topic {shown!r}; there are {', '.join(known)}")
    return known[name]
