"""The pages to read beside the running lab: the recipe's code, the hardening beneath it, the lesson."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
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
    """A text: Python code or Markdown. ``follows`` names the next page, ``model`` the model whose code it is.

    ``files`` are the files that it consists of, by the names that standings have for them, each with the number of
    lines before it.
    """

    title: str
    text: str
    python: bool = True
    model: str = ""
    follows: str = ""
    files: tuple[tuple[str, int], ...] = ()


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
        texts = [Page(topic.name, f"# {_unreadable('The source', error)}")]
    names = [page.title.rpartition("/")[2] for page in texts]
    return tuple(
        replace(page, model=model, follows=follows) for page, follows in zip(texts, [*names[1:], ""], strict=True)
    )


def _file(topic: Topic, file: str) -> Page:
    name = f"{topic.name}/{file}.py"
    return Page(name, topic.text(f"{file}.py"), files=((name, 0),))


def _sources(topic: Topic, model: str) -> Iterator[Page]:
    if topic.attached:
        yield from _client_alone(topic)
        return
    server = server_file(topic, model)
    served = with_imports(topic, [server])
    yield _file(topic, server)
    yield from _hardening(topic, served)
    client = [file for file in with_imports(topic, ["client"]) if file not in served]
    for file in [*served[1:], *client]:
        yield _file(topic, file)


def _own(topic: Topic, path: Path) -> Iterator[Page]:
    """A person's own file, and the topic's client."""
    text = path.read_text(encoding="utf-8", errors="replace")[:LONGEST_OWN]
    yield Page(path.name, text, files=((f"own/{path.name}", 0),))
    for file in with_imports(topic, ["client"]):
        yield _file(topic, file)


def _client_alone(topic: Topic) -> Iterator[Page]:
    """The client's files and the hardening beneath them, for a server whose code is not known."""
    files = with_imports(topic, ["client"])
    for file in files:
        yield Page(f"{file}.py", topic.text(f"{file}.py"))
    yield from _hardening(topic, files)


def _hardening(topic: Topic, files: Iterable[str]) -> Iterator[Page]:
    beneath = hardening_beneath(topic, files)
    beneath.pop(COMMAND_LINE, None)
    text, starts = "", []
    for file, code in beneath.items():
        text += ("\n\n" if text else "") + f"# ── hardening/{file}.py ──\n\n"
        starts.append((f"hardening/{file}.py", text.count("\n")))
        text += code
    if beneath:
        yield Page("hardening", text, files=tuple(starts))
