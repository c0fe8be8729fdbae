"""Finds the topics: the folders beside this file, and those that installed packages bring.

A topic that fails to import does not hide the others: it is found as a `Broken`, which the app shows as a tab.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

from netlab.topics.contract import Topic

GROUP = "netlab.topics"


@dataclass(frozen=True, slots=True)
class Broken:
    """A topic that could not be imported: its name and why."""

    name: str
    reason: str


def _load(name: str, module: str) -> Topic | Broken:
    try:
        topic = import_module(module).TOPIC
    except Exception as error:  # noqa: BLE001 - whatever a foreign module raises belongs on its tab
        return Broken(name, f"{type(error).__name__}: {error}")
    if not isinstance(topic, Topic):
        return Broken(name, f"TOPIC is a {type(topic).__name__}, not a Topic")
    return topic


@cache
def find_topics() -> tuple[Topic | Broken, ...]:
    """Every topic, in the order of its ``order``, then name; broken ones last."""
    import pkgutil  # both here, since finding one built-in topic is much faster without them
    from importlib.metadata import entry_points

    folder = str(Path(__file__).parent)
    found = [_load(m.name, f"{__package__}.{m.name}") for m in pkgutil.iter_modules([folder]) if m.ispkg]
    found += [_load(entry.name, entry.module) for entry in entry_points(group=GROUP)]
    return tuple(sorted(found, key=lambda t: (1, 0, t.name) if isinstance(t, Broken) else (0, t.order, t.name)))


def topics() -> dict[str, Topic]:
    """The topics that work, by name, in tab order."""
    return {topic.name: topic for topic in find_topics() if isinstance(topic, Topic)}


def topic_named(name: str) -> Topic:
    """One topic, without importing the others where it is built in; `KeyError` says which names there are."""
    if name.isidentifier() and (Path(__file__).parent / name / "__init__.py").exists():
        loaded = _load(name, f"{__package__}.{name}")
        if isinstance(loaded, Topic):
            return loaded
        raise KeyError(f"the topic {name} does not load: {loaded.reason}")
    known = topics()
    if name not in known:
        raise KeyError(f"no topic {name!r}; there are {', '.join(known)}")
    return known[name]
