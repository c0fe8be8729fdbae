"""What a console line about buffers and views says, as a tree of values. Nothing here reads or runs one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that is written out."""

    value: object


@dataclass(frozen=True, slots=True)
class NameOf:
    """What a line has named: ``v``."""

    name: str


@dataclass(frozen=True, slots=True)
class Own:
    """An attribute of the client: ``z.buffer``, ``z.owner``."""

    attribute: str


@dataclass(frozen=True, slots=True)
class Range:
    """``start:stop:step`` of a subscript."""

    start: Expression | None
    stop: Expression | None
    step: Expression | None


@dataclass(frozen=True, slots=True)
class ItemOf:
    """``of[index]``. Several indices are a tuple: ``m[0, 1]``."""

    of: Expression
    index: tuple[Expression | Range, ...]
    several: bool = False


@dataclass(frozen=True, slots=True)
class Attribute:
    """``of.name``."""

    of: Expression
    name: str


@dataclass(frozen=True, slots=True)
class Method:
    """``of.name(…)``."""

    of: Expression
    name: str
    arguments: tuple[Expression, ...] = ()
    keywords: tuple[tuple[str, Expression], ...] = ()


@dataclass(frozen=True, slots=True)
class Function:
    """``len(…)``, ``struct.unpack_from(…)``."""

    name: str
    arguments: tuple[Expression, ...] = ()


@dataclass(frozen=True, slots=True)
class Equal:
    """``left == right``, or ``!=``."""

    left: Expression
    right: Expression
    negated: bool = False


Expression: TypeAlias = "Literal | NameOf | Own | ItemOf | Attribute | Method | Function | Equal"


@dataclass(frozen=True, slots=True)
class Show:
    """An expression alone: its value is shown."""

    value: Expression


@dataclass(frozen=True, slots=True)
class KeepAs:
    """``name = value``."""

    name: str
    value: Expression


@dataclass(frozen=True, slots=True)
class Store:
    """``target[…] = value``."""

    target: ItemOf
    value: Expression


@dataclass(frozen=True, slots=True)
class Forget:
    """``del name``."""

    name: str


Statement: TypeAlias = "Show | KeepAs | Store | Forget"


@dataclass(frozen=True, slots=True)
class ViewLine:
    """A line, and how the transcript shows it: as Python that can be copied."""

    statement: Statement
    text: str

    def rename(self, names: set[str]) -> None:
        """Add the name that it gives, or remove the one that it forgets."""
        match self.statement:
            case KeepAs(name=name):
                names.add(name)
            case Forget(name=name):
                names.discard(name)
