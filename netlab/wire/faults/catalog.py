"""The faults that there are, by name, and how they are asked for: ``NAME … [-> | <-]``.

It knows each fault's module and no more of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from netlab.capture.model import Direction
from netlab.wire.faults.contract import Fault, Impairment
from netlab.wire.faults.noop import noop

ARROWS = {
    "->": Direction.TO_SERVER,
    "→": Direction.TO_SERVER,
    "<-": Direction.TO_CLIENT,
    "←": Direction.TO_CLIENT,
}
NONE = "none"
"""Asks for a clean wire."""

Begin = Callable[[], Fault]


def _noop(words: list[str]) -> Begin:
    if words:
        raise ValueError("noop takes no numbers")
    return lambda: noop


FAULTS: dict[str, Callable[[list[str]], Begin]] = {"noop": _noop}
"""Name of each fault → what makes it of the words that follow; its `ValueError` says in a sentence what is wrong."""


def parse(spec: str) -> Impairment | None:
    """One fault as a person asks for it; None for ``none``. Raises `ValueError` with a sentence."""
    words = spec.split()
    direction = next((ARROWS[word] for word in words if word in ARROWS), None)
    words = [word for word in words if word not in ARROWS]
    if words == [NONE]:
        return None
    if not words or words[0] not in FAULTS:
        raise ValueError(f"there is no fault {words[0] if words else ''!r}; there are {', '.join((*FAULTS, NONE))}")
    return Impairment(" ".join(words), direction, FAULTS[words[0]](words[1:]))


def chain(specs: Iterable[str]) -> tuple[Impairment, ...]:
    """The faults that act one after the other. Raises `ValueError` with a sentence."""
    return tuple(found for found in map(parse, specs) if found is not None)
