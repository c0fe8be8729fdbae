"""Names that occur once, and English that a student understands at first reading."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CODE = ROOT / "netlab"

# Files that the contract of topics names, and the models' servers; `app` is also what WSGI calls an application.
MANY_MODULES = {"server", "client", "dissect", "experiments", "copy_as", "panel", "picture", "plaintext", "app"}
NOT_ENGLISH = re.compile(
    r"\b([Tt]old|[Tt]ells?|[Tt]elling|[Aa]new|[Ww]hoever|for ever|of now|(says|said) its last|that there are"
    r"|where there is none|what is none|faults any more)\b",
)
"""Also ``file.tell()`` would match; the method's dot before it excuses that."""
PRIVATE = re.compile(r"\b(tidings|bench(es)?|trials?|crossings?|happenings?|beside_calls|looked_at|let_all_go)\b")
"""Words of our own for which the field has one."""


def texts() -> Iterator[tuple[str, str]]:
    """The files that anyone reads: their names and texts."""
    files = [*CODE.rglob("*.py"), *CODE.rglob("*.md"), *(ROOT / "docs").rglob("*.py"), *(ROOT / "docs").rglob("*.md")]
    for file in [*files, ROOT / "README.md", ROOT / "CHANGELOG.md"]:
        name = file.relative_to(ROOT).as_posix()
        yield name, file.read_text(encoding="utf-8")


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()}"
        for name, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line.replace(".tell(", "("))
    ]


def test_the_english_is_plain() -> None:
    assert lines_with(NOT_ENGLISH) == []


def test_names_are_the_terms_of_the_field() -> None:
    found = [line for line in lines_with(PRIVATE) if line.partition(":")[0].endswith(".py")]
    assert found == []


def recipes(file: Path) -> bool:
    """Whether a file is a recipe, whose names are those that the reader of the tutorial knows."""
    return file.parts[-3] in ("topics", "attachments")


def test_no_module_name_occurs_twice() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for file in CODE.rglob("*.py"):
        model = recipes(file) and file.stem.startswith("server_")
        protocol = file.parent.name == "protocols"  # its file has its name
        if file.stem not in MANY_MODULES | {"__init__"} and not model and not protocol:
            places[file.stem].append(file.relative_to(CODE).as_posix())
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_no_class_name_occurs_twice() -> None:
    """Of classes at the top of a module; a widget's messages are classes within it, and a recipe's names are fixed."""
    places: dict[str, set[str]] = defaultdict(set)
    for file in CODE.rglob("*.py"):
        if recipes(file):
            continue
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                places[node.name].add(file.relative_to(CODE).as_posix())
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


@pytest.mark.parametrize("text", ["It was told so.", "Begin anew.", "no faults any more"])
def test_odd_english_is_found(text: str) -> None:
    assert NOT_ENGLISH.search(text)
