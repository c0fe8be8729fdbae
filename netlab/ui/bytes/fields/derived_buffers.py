"""The derived buffers among some fields: which there are, and where their fields stand. It knows no widget."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from netlab.dissect.fields import Derived, Field

MOST_BUFFERS = 32
_MOST_LOOKED_AT = 50_000
"""Fields that are searched for buffers."""


class Root(NamedTuple):
    """A field that lies in a derived buffer, while the one around it does not: its indices from the top down."""

    path: tuple[int, ...]
    field: Field


def roots_by_buffer(fields: Sequence[Field]) -> list[tuple[Derived, list[Root]]]:
    """The derived buffers in the order in which they appear, each with the fields that lie in it."""
    found: dict[int, tuple[Derived, list[Root]]] = {}
    for count, (path, field) in enumerate(_walk(fields)):
        if count > _MOST_LOOKED_AT:
            break
        if field.buffer is None or (id(field.buffer) not in found and len(found) == MOST_BUFFERS):
            continue
        found.setdefault(id(field.buffer), (field.buffer, []))[1].append(Root(path, field))
    return list(found.values())


def _walk(fields: Sequence[Field]) -> Iterator[tuple[tuple[int, ...], Field]]:
    waiting: list[tuple[tuple[int, ...], Field]] = []
    waiting.extend([((index,), field) for index, field in enumerate(fields)][::-1])
    while waiting:
        path, field = waiting.pop()
        yield path, field
        waiting.extend([((*path, index), child) for index, child in enumerate(field.children)][::-1])


def titles(buffers: Iterable[Derived]) -> list[str]:
    """Their names; those that occur more than once are numbered."""
    names = [buffer.name for buffer in buffers]
    seen: dict[str, int] = {}
    numbered = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        numbered.append(f"{name} {seen[name]}" if names.count(name) > 1 else name)
    return numbered
