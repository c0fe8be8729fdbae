"""The pages to read beside the running lab: the recipe's code, the hardening beneath it, the lesson."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from netlab.topics.contract import Topic
from netlab.topics.recipe import hardening_beneath, server_file, with_imports

LESSON, THEN_NOW = "lesson.md", "then_now.md"
COMMAND_LINE = "command"
"""The part of the hardening that is not needed to understand a server."""


LONGEST_OWN = 1 << 18
"""Characters of a person's own file that are shown."""


@dataclass(frozen=True, slots=True)
class Page:
    """A text: Python code or Markdown. ``follows`` names the next page, ``model`` the model whose code it is."""

    title: str
    text: str
    python: bool = True
    model: str = ""
    follows: str = ""


def text_page(topic: Topic, file: str) -> Page:
    """A text from the topic's folder, or why it cannot be read."""
    try:
        text = topic.text(file)
    except OSError as error:
        text = _unreadable(file, error)
    return Page(f"{topic.name}/{file}", text, python=False)


def _unreadable(what: str, error: OSError) -> str:
    return f"{what} cannot be read: {error.strerror or error}"


def source_pages(topic: Topic, model: str, own: Path | None = None) -> tuple[Page, ...]:
    """The running model's file, the hardening beneath it, the other files that it uses, and the client.

    ``own`` is the person's own file that serves instead. If they cannot be read, the only page says why.
    """
    try:
        texts = list(_own(topic, own) if own is not None else _sources(topic, model))
    except OSError as error:
        texts = [(topic.name, f"# {_unreadable('The source', error)}")]
    names = [title.rpartition("/")[2] for title, _ in texts]
    return tuple(
        Page(title, text, True, model, follows) for (title, text), follows in zip(texts, [*names[1:], ""], strict=True)
    )


def _sources(topic: Topic, model: str) -> Iterator[tuple[str, str]]:
    if topic.attached:
        yield from _client_alone(topic)
        return
    server = server_file(topic, model)
    served = with_imports(topic, [server])
    yield f"{topic.name}/{server}.py", topic.text(f"{server}.py")
    yield from _hardening(topic, served)
    client = [file for file in with_imports(topic, ["client"]) if file not in served]
    for file in [*served[1:], *client]:
        yield f"{topic.name}/{file}.py", topic.text(f"{file}.py")


def _own(topic: Topic, path: Path) -> Iterator[tuple[str, str]]:
    """A person's own file, and the topic's client."""
    yield path.name, path.read_text(encoding="utf-8", errors="replace")[:LONGEST_OWN]
    for file in with_imports(topic, ["client"]):
        yield f"{topic.name}/{file}.py", topic.text(f"{file}.py")


def _client_alone(topic: Topic) -> Iterator[tuple[str, str]]:
    """The client's files and the hardening beneath them, for a server whose code is not known."""
    files = with_imports(topic, ["client"])
    for file in files:
        yield f"{file}.py", topic.text(f"{file}.py")
    yield from _hardening(topic, files)


def _hardening(topic: Topic, files: Iterable[str]) -> Iterator[tuple[str, str]]:
    beneath = hardening_beneath(topic, files)
    beneath.pop(COMMAND_LINE, None)
    if beneath:
        texts = (f"# ── hardening/{file}.py ──\n\n{text}" for file, text in beneath.items())
        yield "hardening", "\n\n".join(texts)
