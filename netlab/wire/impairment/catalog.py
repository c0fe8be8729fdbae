"""The faults that there are, by name, and how they are asked for.

``NAME … [30%] [every N] [first N [each]] [-> | <-]``. It knows each fault's module and no more of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import import_module

from netlab.capture.model import Direction, Transport
from netlab.wire.impairment.choice import Choice, chosen, take_choice
from netlab.wire.impairment.fault import FaultKind, Impairment

ARROWS = {
    "->": Direction.TO_SERVER,
    "→": Direction.TO_SERVER,
    "<-": Direction.TO_CLIENT,
    "←": Direction.TO_CLIENT,
}
NONE = "none"
"""Asks for a clean wire."""

FIRST = "on the whole wire: all flows, both directions"
"""Where ``first 3`` counts."""
FIRST_EACH = "in each direction of each flow"
"""Where ``first 3 each`` and ``every 2`` count."""
GRAMMAR = (
    "behind it -> or <- for one way; for some segments only: 30%, every 2, "
    f"first 3 (three {FIRST}) or first 3 each (three {FIRST_EACH})"
)

NAMES = (
    "delay",
    "jitter",
    "loss",
    "duplicate",
    "reorder",
    "throttle",
    "slice",
    "corrupt",
    "stall",
    "cut",
    "reset",
    "noop",
)
OFFERED = tuple(name for name in NAMES if name != "noop")
"""All but the one that is there to teach how one is written."""


@cache
def kind_named(name: str) -> FaultKind:
    """One kind of fault. Raises `ValueError` with a sentence for a name that there is not."""
    if name not in NAMES:
        raise ValueError(f"there is no fault {name!r}; there are {', '.join(OFFERED)}")
    kind = import_module(f"netlab.wire.faults.{name}").KIND
    assert isinstance(kind, FaultKind)
    return kind


def kinds(transport: Transport) -> tuple[FaultKind, ...]:
    """What can be offered on a transport."""
    return tuple(kind for kind in map(kind_named, OFFERED) if transport in kind.transports)


def parse(spec: str, transport: Transport | None = None) -> Impairment | None:
    """One fault as a person asks for it; None for ``none``. Raises `ValueError` with a sentence.

    With a transport, a fault that would be a lie there is refused, and the sentence says what to try instead.
    """
    words = spec.split()
    direction = next((ARROWS[word] for word in words if word in ARROWS), None)
    words = [word for word in words if word not in ARROWS]
    if words == [NONE]:
        return None
    kind = kind_named(words[0] if words else "")
    if transport is not None and transport not in kind.transports:
        raise ValueError(f"no {kind.name} on {transport.name}: {kind.why_not}")
    choice, numbers = take_choice(words[1:])
    begin = kind.parse(numbers)
    begin = begin if choice == Choice() else chosen(begin, choice, kind.sees_all)
    return Impairment(" ".join(words), direction, begin)


def chain(specs: Iterable[str], transport: Transport | None = None) -> tuple[Impairment, ...]:
    """The faults that act one after the other. Raises `ValueError` with a sentence."""
    return tuple(found for spec in specs if (found := parse(spec, transport)) is not None)
