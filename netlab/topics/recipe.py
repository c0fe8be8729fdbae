"""The files of a topic's recipe: those that a person reads beside the running server, and those that are ejected."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from importlib import resources

from netlab.topics.contract import Topic

HARDENING = "netlab.hardening"


def server_file(topic: Topic, model: str) -> str:
    """The module in the topic's folder that serves as a model."""
    return topic.server_module(model).rpartition(".")[2]


def recipe_files(topic: Topic, model: str = "") -> tuple[str, ...]:
    """The modules of the server, for all models or one, and the client; with what they import from the folder."""
    models = [server_file(topic, each) for each in topic.models if model in ("", each)]
    return with_imports(topic, ["server", "client", *models])


def with_imports(topic: Topic, files: Iterable[str]) -> tuple[str, ...]:
    """Modules of the topic's folder and the modules that they import from it, each once."""
    found = list(dict.fromkeys(files))
    for file in found:  # the list grows meanwhile
        found += [each for each in _imported(topic.text(f"{file}.py"), topic.package) if each not in found]
    return tuple(found)


def hardening_beneath(topic: Topic, files: Iterable[str]) -> dict[str, str]:
    """The files of `netlab.hardening` that these modules use, directly or not, with their texts."""
    folder = resources.files(HARDENING)
    found: dict[str, str] = {}
    waiting = [each for file in files for each in _imported(topic.text(f"{file}.py"), HARDENING)]
    while waiting:
        file = waiting.pop(0)
        if file not in found:
            found[file] = (folder / f"{file}.py").read_text(encoding="utf-8")
            waiting += _imported(found[file], HARDENING)
    return found


def _imported(text: str, package: str) -> Iterator[str]:
    """The modules of a package that a source text imports from."""
    yield from dict.fromkeys(re.findall(rf"^from {re.escape(package)}\.(\w+) import", text, re.MULTILINE))
