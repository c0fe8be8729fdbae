"""What stands on the stack of a pickle that is followed but not loaded: stand-ins for the objects that loading makes.

Texts and bytes stay where they are, in the message; nothing is called, imported or compared. Values may contain
themselves, and be shared: who walks them must be bounded, as `netlab.dissect.pickles.value_text` is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Plain:
    """None, a bool, a number or Ellipsis."""

    value: object


@dataclass(frozen=True, slots=True)
class Spelt:
    """A ``str``, ``bytes``, ``bytearray`` or long ``int``, still as the bytes that spell it.

    ``coding`` says how: ``utf-8``, ``raw-unicode-escape``, ``escapes`` (a literal of Python 2), ``raw`` (bytes),
    ``little`` (a number, little-endian) or ``digits``. Bytes in a coding of text are its characters in Latin-1.
    """

    kind: str
    data: memoryview
    coding: str


@dataclass(frozen=True, slots=True)
class Name:
    """A module and a name in it, which loading would import. ``plain``: older protocols spell data with it."""

    text: str
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Outside:
    """An object that is not in the pickle: a buffer beside it, one that the program keeps. ``text`` describes it."""

    text: str


class Cell(NamedTuple):
    """A place on the stack or in a container: its value, and the step at which it began to be there."""

    value: Value
    since: int


@dataclass(eq=False, slots=True)
class Items:
    """A ``list``, ``tuple``, ``set`` or ``frozenset``."""

    kind: str
    items: list[Cell] = field(default_factory=list)
    hashable: bool = False


@dataclass(eq=False, slots=True)
class Pairs:
    """A ``dict``: what was put into it, in that order; of equal keys the last counts."""

    items: list[tuple[Cell, Cell]] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Made:
    """What a call would return that is not made: the function, its arguments, and what was done to it afterwards."""

    function: Cell
    arguments: Cell
    keywords: Cell | None = None
    later: list[tuple[str, Cell]] = field(default_factory=list)
    """What was given to it, as ``state`` or ``items``."""


class Mark:
    """A mark on the stack."""


MARK = Mark()
Value = Plain | Spelt | Name | Outside | Items | Pairs | Made | Mark


def kind_of(value: Value) -> str:
    """The Python type of a value; empty if only loading would show it."""
    if isinstance(value, Plain):
        return "None" if value.value is None else type(value.value).__name__
    if isinstance(value, Spelt | Items):
        return value.kind
    return "dict" if isinstance(value, Pairs) else ""


def hashable(value: Value) -> bool:
    """Whether it may be a key; also true if only loading would show it."""
    if isinstance(value, Items):
        return value.hashable
    return not isinstance(value, Pairs) and kind_of(value) != "bytearray"


def made_of(kind: str, items: Sequence[Cell]) -> Items:
    """A new container of some values."""
    return Items(kind, list(items), kind == "frozenset" or (kind == "tuple" and all(hashable(i.value) for i in items)))
