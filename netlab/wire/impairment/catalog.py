"""Finds the faults: the modules in ``netlab/wire/faults``, each with a ``KIND``, and makes impairments of their words.

A module is imported when its fault is asked for, or when all are listed; knowing the names imports none of them. One
that cannot be imported does not hide the others.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from pathlib import Path

from netlab.capture.model import Transport
from netlab.wire.impairment import own_fault
from netlab.wire.impairment.choice import SegmentChoice, Test, chosen
from netlab.wire.impairment.fault import FaultKind, Impairment
from netlab.wire.impairment.spec import split

FAULTS = "netlab.wire.faults"
"""The package of the faults. It imports this one, so it is named and not imported here."""


@cache
def names() -> tuple[str, ...]:
    """The names of all faults: those of their files."""
    files = (file for folder in import_module(FAULTS).__path__ for file in Path(folder).glob("*.py"))
    return tuple(sorted(file.stem for file in files if not file.stem.startswith("_")))


def kind_named(name: str) -> FaultKind:
    """One kind of fault, also of a person's own, by its file.

    Raises `ValueError` with a sentence if there is none of that name, or it cannot be loaded.
    """
    return own_fault.load(name) if own_fault.is_file(name) else _installed(name)


@cache
def _installed(name: str) -> FaultKind:
    if name not in names():
        there = ", ".join(kind.name for kind in offered())
        raise ValueError(f"there is no fault {name!r}; there are {there}, and your own by its file, as in ./mine.py")
    try:
        kind = import_module(f"{FAULTS}.{name}").KIND
    except Exception as error:  # whatever a fault's module raises concerns this fault alone
        raise ValueError(f"the fault {name} does not load: {type(error).__name__}: {error}") from error
    if not isinstance(kind, FaultKind) or kind.name != name:
        raise ValueError(f"the fault {name} does not load: its file needs a KIND, a FaultKind named {name!r}")
    return kind


@cache
def _found() -> tuple[tuple[FaultKind, ...], tuple[str, ...]]:
    """The kinds that load, in their order, and a sentence for each that does not."""
    kinds, problems = [], []
    for name in names():
        try:
            kinds.append(kind_named(name))
        except ValueError as error:
            problems.append(str(error))
    return tuple(sorted(kinds, key=lambda kind: (kind.order, kind.name))), tuple(problems)


def offered() -> tuple[FaultKind, ...]:
    """What a person can choose from, in the order of the lists."""
    return tuple(kind for kind in _found()[0] if kind.offered)


def kinds(transport: Transport) -> tuple[FaultKind, ...]:
    """What can be offered on a transport."""
    return tuple(kind for kind in offered() if transport in kind.transports)


def problems() -> tuple[str, ...]:
    """A sentence for each fault that does not load."""
    return _found()[1]


def parse(text: str, transport: Transport | None = None) -> Impairment | None:
    """One fault as a person asks for it; None for ``none``. Raises `ValueError` with a sentence.

    With a transport, a fault that would be a lie there is refused, and the sentence says what to try instead.
    """
    spec = split(text)
    if spec is None:
        return None
    kind = kind_named(spec.name)
    if transport is not None and transport not in kind.transports:
        raise ValueError(f"no {kind.name} on {transport.name}: {kind.why_not}")
    if kind.of_the_end and spec.choice.of_segments != SegmentChoice():
        raise ValueError(f"{kind.name} acts on the end of a stream, not on some of its segments; write 30% flows")
    file, words = None, list(spec.numbers)
    if own_fault.is_file(spec.name):
        begin, file = own_fault.guarded(kind, words, spec.name)
    else:
        begin = kind.parse(words)
    if spec.filter or spec.choice != SegmentChoice():
        begin = chosen(begin, spec.choice, kind.sees_all, _meaning(spec.filter))
    return Impairment(spec.words, spec.direction, begin, spec.filter, file)


def _meaning(text: str) -> Test | None:
    """What a fault's filter means; None for an empty one. Raises `ValueError` with a sentence."""
    if not text:
        return None
    from netlab.capture.filter import FilterError, parse  # late: few wires need it

    try:
        return parse(text).matches
    except FilterError as error:
        raise ValueError(f"in the filter after if, {error}") from error


def chain(specs: Iterable[str], transport: Transport | None = None) -> tuple[Impairment, ...]:
    """The faults that act one after the other. Raises `ValueError` with a sentence."""
    return tuple(found for spec in specs if (found := parse(spec, transport)) is not None)
